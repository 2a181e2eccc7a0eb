"""A token from the cloud: the published vector, the patient who answers late, declines, or never does."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nhirx.card.telemedicine import TeleMedicine, TeleMedicine6, encrypted_id
from nhirx.errors import AnswerMalformed, InvalidValue, TokenRefused
from nhirx.roc import TAIPEI
from nhirx.settings import ControlSettings, PharmacySettings, ServiceSettings, Settings

DAY = datetime(2022, 11, 4, 12, 0, tzinfo=TAIPEI)


@pytest.mark.parametrize("moment", [DAY, datetime(2022, 11, 3, 16, 0, tzinfo=UTC), datetime(2022, 11, 4, 15, 59, tzinfo=UTC)])
def test_the_published_vector(moment):
    """A123456789 of institution 0502080015 on 2022-11-04, in Taiwan's day wherever the clock stands."""
    assert encrypted_id("A123456789", "0502080015", moment) == "tmQFECnK8JFl5DD3crzfcA=="


@pytest.mark.parametrize(("national_id", "institution"), [("A12345678", "0502080015"), ("A123456789", "502080015")])
def test_numbers_that_are_none(national_id, institution):
    """Nothing is sent for a slip of the pen."""
    with pytest.raises(InvalidValue):
        encrypted_id(national_id, institution, DAY)


@pytest.fixture
def cloud():
    """The service: its answers in order, and what it was asked."""

    class Cloud:
        """Filled below, for each test anew."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            Cloud.asked.append((self.path, body))
            answer = json.dumps(Cloud.answers.pop(0)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format, *args):  # noqa: A002 - the library's name
            """Silent."""

    Cloud.answers, Cloud.asked = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    service = ServiceSettings(url=f"http://127.0.0.1:{server.server_address[1]}", timeout=5)
    Cloud.settings = Settings(pharmacy=PharmacySettings(institution="0502080015"), control=ControlSettings(telemedicine=service))
    yield Cloud
    server.shutdown()
    server.server_close()
    thread.join()


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.at = DAY

    def __call__(self):
        return self.at

    def sleep(self, seconds):
        self.at += timedelta(seconds=seconds)


def body(**members):
    return {"responseBody": {"ErrorCode": "0", **members}}


def test_the_patient_agrees_after_a_while(cloud):
    """Request, two empty looks, token; the ID number goes out encrypted only."""
    clock = Clock()
    cloud.answers = [body(ReqCode="R1"), {"responseBody": {"ErrorCode": 3239}}, body(QRCode=""), body(QRCode="opaque")]
    service = TeleMedicine(cloud.settings, "secret", clock=clock)

    code = service.request("A123456789")
    token = service.wait("A123456789", code, sleep=clock.sleep)
    service.close()

    assert token.for_use(clock()) == "opaque"
    assert [path.rsplit("/", 1)[-1] for path, _ in cloud.asked] == [
        "GetVHCTeleMedicineReqCode",
        *["getQRCodeByVHCTLMRReqCode"] * 3,
    ]
    assert cloud.asked[0][1] == {"HospID": "0502080015", "sToken": "secret", "ROCID": "tmQFECnK8JFl5DD3crzfcA=="}
    assert cloud.asked[1][1]["ReqCode"] == "R1"


def test_the_patient_declines(cloud):
    """The answer is no: nobody goes on asking."""
    cloud.answers = [{"responseBody": {"ErrorCode": "3240"}}]

    with pytest.raises(TokenRefused):
        TeleMedicine(cloud.settings, "secret", clock=Clock()).fetch("A123456789", "R1")


def test_the_patient_never_answers(cloud):
    """Ten minutes, then the operator hears so."""
    clock = Clock()
    cloud.answers = [body(QRCode=None)] * 20

    with pytest.raises(TokenRefused):
        TeleMedicine(cloud.settings, "secret", clock=clock).wait("A123456789", "R1", every=60, sleep=clock.sleep)
    assert clock() - DAY == timedelta(minutes=10)


@pytest.mark.parametrize("answer", [{}, {"responseBody": None}, {"responseBody": {}}, {"responseBody": {"ErrorCode": "0"}}])
def test_answers_that_are_none(cloud, answer):
    """Without its members an answer is malformed."""
    cloud.answers = [answer]

    with pytest.raises(AnswerMalformed):
        TeleMedicine(cloud.settings, "secret", clock=Clock()).request("A123456789")


# ── by control software 6.0 ──────────────────────────────────────────────────────────────────────────────────────────


def test_by_control_software_6(sim, control):
    """The push is signed by the security module, and the token it brings is a virtual card's."""
    from nhirx.card.virtual import VirtualCard
    from nhirx.sim.people import PEOPLE

    service = TeleMedicine6(control)
    token = service.fetch(service.request(PEOPLE[0].national_id))

    assert token is not None
    virtual = VirtualCard(sim.settings(), token)
    assert virtual.read_holder().national_id == PEOPLE[0].national_id
    virtual.close()


def test_6_waits_and_hears_a_refusal(sim, control):
    """Not yet is None; no is an error."""
    path = "/api/v1/TeleMedicine/ResponseToken"
    service = TeleMedicine6(control)
    code = service.request("A123456789")
    sim.fail(path, "status-code", code=3239)

    assert service.fetch(code) is None

    sim.fail(path, "status-code", code="3240")
    with pytest.raises(TokenRefused):
        service.fetch(code)
