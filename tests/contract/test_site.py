"""The manual: built in strict mode, complete, in two languages, and without a single request to elsewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
import zipfile
from pathlib import Path

import pytest

from nhirx import manual
from nhirx.manual import plain, serve, twins
from nhirx.manual.site import build


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as ``nhirx docs --build`` does it; a link that leads nowhere would have raised."""
    return build(tmp_path_factory.mktemp("site"))


def test_every_page_is_in_both_sites(site):
    """Pages that nobody listed stand under "more", so that none is ever left out."""
    files = {file for file in manual.files() if not file.endswith(".en.md")}
    html = {file.replace("README.md", "index.html").replace(".md", ".html") for file in files}

    for language in ("zh", "en"):
        assert files == {file for _, found in manual.nav(language) for _, file in found} - {manual.SCREENS}
        folder = site / "en" if language == "en" else site
        assert set() == html - {path.relative_to(folder).as_posix() for path in folder.rglob("*.html")}


def test_nothing_is_fetched_from_elsewhere(site):
    """No script, style, font or picture has an address of another host; links to read are no requests."""
    loading = re.compile(
        r"<(?:script|img|iframe)[^>]*\ssrc=[\"']?(?:https?:)?//|<link[^>]*rel=[\"']?(?:stylesheet|preconnect|icon)[^>]*href=[\"']?(?:https?:)?//"
    )
    pages = {path.name: path.read_text("utf-8") for path in site.rglob("*.html")}
    styles = [path.name for path in site.rglob("*.css") if re.search(r"url\([\"']?(?:https?:)?//", path.read_text("utf-8"))]

    assert [] == [name for name, text in pages.items() if loading.search(text)]
    assert [] == styles
    # The theme would fetch a program for diagrams, but only where it finds one of these.
    assert [] == [name for name, text in pages.items() if 'class="mermaid"' in text]


def test_english_site_says_it_in_english(site):
    """Rule pages give the English alone; the menu too."""
    page = (site / "en" / "rules" / "dispensing.html").read_text("utf-8")

    assert "How this dispensing is uploaded" in page
    assert "持卡過卡" not in page
    assert "The rule book" in page
    assert 'lang="en"' in page
    assert 'lang="zh-Hant"' in (site / "index.html").read_text("utf-8")


def test_english_rules_are_rendered_from_the_tables():
    """Every rule with every field it sets, and no Chinese but in the names of the documents."""
    from nhirx.manual.rules import pages
    from nhirx.tables.load import rule_book

    for name, table in rule_book().decisions.items():
        page = pages()[f"{name}.md"]
        words = "\n".join(line for line in page.splitlines() if not line.startswith("- Source: "))

        assert [row.id for row in table.row] == re.findall(r"^## ([\w.-]+)$", page, flags=re.M)
        assert all(field in page for row in table.row for field in row.then if re.fullmatch(r"[A-Z]\d\d", field))
        assert [] == re.findall(r"[\u4e00-\u9fff]+", words)
    assert len(rule_book().limits) <= pages()["limits.md"].count("\n|")


def test_english_lists_are_rendered_from_the_tables():
    """Every code and every field; no Chinese but where a document is cited."""
    from nhirx.manual.rules import pages
    from nhirx.tables.check_codes import check_codes
    from nhirx.tables.fields import fields

    codes = re.findall(r"^- \*\*(\S+)\*\*", pages()["checks.md"], flags=re.M)

    assert sorted(code for _, code in check_codes()) == sorted(codes)
    assert list(fields()) == re.findall(r"^\| ([A-Z]\d\d) ", pages()["fields.md"], flags=re.M)
    assert [] == re.findall(r"[\u4e00-\u9fff]+", pages()["checks.md"] + pages()["fields.md"])
    assert [] == [row for row in pages()["codes.md"].splitlines() if re.search(r"[\u4e00-\u9fff]", row.rsplit("|", 2)[0])]


@pytest.mark.parametrize(
    ("both", "english"),
    [
        ("# 櫃檯 · The counter", "# The counter"),
        ("## 環境 Environment", "## Environment"),
        ("先存檔再傳送。 It is on disk first, then sent.", "It is on disk first, then sent."),
        (
            "不必看原始碼。\n也不必建置。\nNo need to read\nthe source, nor to build it.",
            "No need to read\nthe source, nor to build it.",
        ),
        ("一。One thing is said.\n二。And another one, too.", "One thing is said. And another one, too."),
        ("| 結案，不上傳 Close it; nothing is uploaded |", "| Close it; nothing is uploaded |"),
        ("| 更換 PIN Add an operator |", "| Add an operator |"),
        ("# 調劑台與 API · The counter and its API", "# The counter and its API"),
        ("| 狀態 · state | 無 · nothing |", "| state | nothing |"),
        ("- **時機 when** 啟動時 · at start", "- **when** at start"),
        ("![畫面 · the page](a.png)", "![the page](a.png)"),
        ("# 甲 A\n\n乙。\n\n## In English\n\nB is said.\n", "# A\n\nB is said.\n\n乙。\n"),
        ("# 甲\n\n乙。\n\n---\n\n# A\n\nB is said.\n", "# A\n\nB is said.\n\n## 甲\n\n乙。\n"),
        # What only the Chinese says stays.
        ("| 本機服務與健保 VPN |", "| 本機服務與健保 VPN |"),
        ("只有中文，沒有別的。", "只有中文，沒有別的。"),
        ("先執行 `nhirx doctor`。 Look at the machine first.", "先執行 `nhirx doctor`。 Look at the machine first."),
        ("見[別頁](b.md)。 See the other page, please.", "見[別頁](b.md)。 See the other page, please."),
        ("這裡寫了很長很長的一段話，把每一種情況都說清楚，也說了為什麼要這樣做。See below.",) * 2,
        ("```\n中文 · English\n```", "```\n中文 · English\n```"),
    ],
)
def test_chinese_twin_is_taken_away(both, english):
    """On the English site; a paragraph whose English says less stays whole."""
    assert english == twins.english(both)


@pytest.mark.parametrize("file", sorted(file for file in manual.files() if not file.endswith(".en.md")))
def test_nothing_that_can_be_typed_or_followed_is_lost(file):
    """Code, links, blocks and English words of the page are all on its English twin."""
    page = manual.files()[file].read_text("utf-8")
    english = twins.english(page, only_italics=file.startswith("rules/"))

    for kind in (r"^```.*?^```", r"\]\([^)]*\)"):
        assert sorted(re.findall(kind, page, flags=re.S | re.M)) == sorted(re.findall(kind, english, flags=re.S | re.M))
    outside = re.compile(r"^```.*?^```", re.S | re.M)
    for kind in (r"`[^`\n]+`", r"[a-z']{3,} [a-z']{3,}"):
        assert set() == set(re.findall(kind, outside.sub("", page))) - set(re.findall(kind, outside.sub("", english)))


def test_diagrams_are_drawn(site):
    """As pictures in the page: nothing has to be fetched to draw them."""
    page = (site / "hooks.html").read_text("utf-8")

    assert "<svg" in page.split("Lifecycle", 2)[-1]
    assert "flowchart TD" not in page


def test_search_finds_chinese_words(site):
    """The index holds the text of the pages."""
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))

    assert any("原就醫識別碼" in document["text"] for document in index["docs"])
    assert [] == index["config"]["pipeline"]


def test_a_link_that_leads_nowhere_is_refused(tmp_path, monkeypatch):
    """By name, so that it can be mended."""
    from nhirx.errors import FileDamaged

    (tmp_path / "architecture.md").write_text("# A\n\n[b](nowhere.md)\n", "utf-8")
    monkeypatch.setattr(manual, "pages", lambda: tmp_path)

    with pytest.raises(FileDamaged, match=r"nowhere\.md"):
        build(tmp_path / "out")


def test_wheel_carries_the_site(wheel):
    """Below three megabytes, so that it is read without a network on any machine."""
    with zipfile.ZipFile(wheel) as archive:
        own = [info for info in archive.infolist() if info.filename.startswith("nhirx/manual/")]
        names = {info.filename for info in own}

    assert {f"nhirx/manual/pages/{file}" for file in manual.files()} <= names
    assert {"nhirx/manual/built/index.html", "nhirx/manual/built/en/hooks.html", "nhirx/manual/pages/hooks.md"} <= names
    assert sum(info.compress_size for info in own) < 3_000_000


@pytest.mark.parametrize("language", ["zh", "en"])
def test_plain_pages(language):
    """Without mkdocs every page is there all the same, and its links lead to pages of the same kind."""
    files = [file for _, found in manual.nav(language) for _, file in found]

    for file in files:
        page = plain.page(file, language)
        assert page is not None
        for link in re.findall(r'<main>.*?href="([^"#:]+\.html)', page, flags=re.S):
            target = Path(file).parent / link
            assert target.as_posix().replace(".html", ".md") or link
    assert plain.page("nowhere.md", language) is None


def test_plain_pages_have_their_pictures_and_a_search():
    """What every page refers to is served, and words are found in both languages."""
    server = serve.server(None)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"

    def get(path: str) -> str:
        with urllib.request.urlopen(f"{address}/{path}", timeout=60) as answer:
            return answer.read().decode("utf-8", "replace")

    try:
        for language, folder in (("zh", ""), ("en", "en/")):
            for file in (file for _, found in manual.nav(language) for _, file in found):
                for source in re.findall(r'<img[^>]* src="([^":]+)"', str(plain.page(file, language))):
                    assert get(folder + (Path(file).parent / source).as_posix().replace("howto/../", ""))
        found, none = get("search.html?q=%E5%8E%9F%E5%B0%B1%E9%86%AB"), get("en/search.html?q=%3Cscript%3Enowhere")
    finally:
        server.shutdown()
        server.server_close()

    hits = found.partition("<main>")[2]
    assert "<strong>my-shop/my_shop.py</strong>" in str(plain.page("howto/first-plugin.md", "zh"))
    assert 'href="rules/origin-id.html"' in hits
    assert 'href="howto/first-plugin.html"' not in hits
    assert "Nothing found" in none
    assert "<script>" not in none


def test_served_on_loopback_only(site):
    """Whole site, and plain pages; nothing else of the disk."""
    for source in (site, None):
        server = serve.server(source)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        with urllib.request.urlopen(f"{address}/hooks.html", timeout=60) as answer:
            assert "nhirx_find_prescription" in answer.read().decode()
        for outside in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/nowhere.html"):
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(address + outside, timeout=60)
        assert "127.0.0.1" == server.server_address[0]
        server.shutdown()
        server.server_close()


def test_command_prints_where_it_serves(tmp_path):
    """One JSON line, then it serves until it is stopped."""
    words = [sys.executable, "-m", "nhirx", "docs", "--no-open", "--plain", "--json"]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(words, env=buffered, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            url = json.loads(running.stdout.readline())["url"]
            with urllib.request.urlopen(url, timeout=60) as answer:
                assert "nhirx" in answer.read().decode()
        finally:
            running.kill()


def test_screenshots_of_the_browser_tests_are_shown(tmp_path, monkeypatch):
    """Where the browser tests have left pictures, the site has a page with each of them."""
    import cv2
    import numpy as np

    pages = tmp_path / "pages"
    (pages / "pictures").mkdir(parents=True)
    (pages / "architecture.md").write_text("# A\n", "utf-8")
    cv2.imwrite(str(pages / "pictures" / "counter-scan.png"), np.full((20, 30, 3), 200, np.uint8))
    monkeypatch.setattr(manual, "pages", lambda: pages)
    site = build(tmp_path / "out")

    assert 'src="pictures/counter-scan.png"' in (site / "screens.html").read_text("utf-8")
    assert (site / "en" / "pictures" / "counter-scan.png").is_file()
