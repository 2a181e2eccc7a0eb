"""When records may go out: at once or once a day, and not in the quiet hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from nhirx.errors import SettingInvalid
from nhirx.roc import TAIPEI
from nhirx.settings import UploadSettings

AT_ONCE = "at-once"


@dataclass(frozen=True, slots=True)
class Hours:
    """``daily`` is the time of day at which what was built before goes out, None: at once. ``quiet`` may span midnight."""

    daily: time | None = None
    quiet: tuple[time, time] | None = None

    @classmethod
    def of(cls, settings: UploadSettings) -> Hours:
        """Raises ``SettingInvalid`` for a time that is none."""
        daily = None if settings.send == AT_ONCE else _time(settings.send, "upload.send")
        if settings.quiet is None:
            return cls(daily)
        start, dash, end = settings.quiet.partition("-")
        if not dash:
            raise SettingInvalid(setting="upload.quiet", problem="22:00-06:00")
        return cls(daily, (_time(start, "upload.quiet"), _time(end, "upload.quiet")))

    def is_quiet(self, now: datetime) -> bool:
        """Whether the service is left alone at ``now``. A window that starts and ends at one time is none."""
        if self.quiet is None:
            return False
        start, end = self.quiet
        at = now.astimezone(TAIPEI).time()
        return start <= at < end if start <= end else (at >= start or at < end)

    def built_before(self, now: datetime) -> datetime | None:
        """Only records built before this go out at ``now``; None: all of them.

        It follows from the clock alone: a program that was off at the time of day catches up as soon as it is on.
        """
        if self.daily is None:
            return None
        local = now.astimezone(TAIPEI)
        today = local.replace(hour=self.daily.hour, minute=self.daily.minute, second=0, microsecond=0)
        return today if local >= today else today - timedelta(days=1)


def _time(text: str, setting: str) -> time:
    try:
        return time.fromisoformat(text.strip())
    except ValueError:
        raise SettingInvalid(setting=setting, problem=f"{text[:20]}: HH:MM") from None
