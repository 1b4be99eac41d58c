"""`adc design` as a person uses it: a process, its input, its files."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from adc_process import run_adc

from adc_core.records.design import Brief
from adc_plugins_search.designers.file import FileDesigner

ADC = Path(sys.executable).with_name("adc")
WORDS = {
    "color": ["Navy", "navy blue", "cream", "mustard", "zzz", "coat", "burgundy", "teal", "rust"],
    "fit": ["loose", "tight", "boxy", "slim"],
}
SECRET = "sk-very-secret"


class Shell:
    """`adc design` in a folder of its own."""

    def __init__(self, folder: Path, chat) -> None:
        self.folder = folder
        self.chat = chat
        self.environment = os.environ | {
            "ADC_LLM_BASE_URL": chat.base_url,
            "ADC_LLM_MODEL": "tiny",
            "ADC_LLM_API_KEY": SECRET,
            "COLUMNS": "100",
        }
        (folder / "brief.yaml").write_text("subject: knitwear\nclasses: [sweater]\n")

    def command(self, *words: str) -> list[str]:
        if not any(word == "--use" for word in words):
            words = (*words, "--use", "llm:values_per_attribute=2,candidates=9")
        return [str(ADC), "design", "brief.yaml", *words]

    def run(self, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
        return run_adc(*self.command(*words)[1:], cwd=self.folder, env=self.environment, said=said)

    @property
    def design(self):
        return yaml.safe_load((self.folder / "design.yaml").read_text())

    def queries(self, name="design.yaml"):
        design = FileDesigner(path=self.folder / name).design(Brief(subject="knitwear"))
        return [query.text for query in design.queries]


@pytest.fixture
def shell(tmp_path, chat):
    chat.model = chat.knows(WORDS)
    return Shell(tmp_path, chat)


def test_without_a_person(shell):
    done = shell.run("--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "design.yaml: 1 class, 4 queries\n"
        "design.yaml.work/turns.jsonl: 5 answers, 500 tokens in, 100 out\n"
    )
    assert shell.design == {
        "classes": ["sweater"],
        "by_class": {"sweater": {"color": ["navy", "mustard"], "fit": ["loose", "tight"]}},
        "omit_from_query": ["solid"],
    }
    assert shell.queries() == [
        "navy loose sweater",
        "navy tight sweater",
        "mustard loose sweater",
        "mustard tight sweater",
    ]


SESSION = """\
- Mustard, red
+ Cerise, navy, burgundy
more 1
what?
next
more 3
back

accept
"""


def test_with_a_person(shell):
    done = shell.run(said=SESSION)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (Path(__file__).parent / "session.txt").read_text()
    assert shell.design == {
        "classes": ["sweater"],
        "by_class": {
            "sweater": {
                "color": ["navy", "Cerise", "burgundy", "cream"],
                "fit": ["loose", "tight", "boxy", "slim"],
            }
        },
        "rejected": {"sweater": {"color": ["mustard"]}},
        "omit_from_query": ["solid"],
    }


def test_the_key_is_nowhere(shell):
    shell.chat.script(shell.chat.says(f"1. {SECRET}\n2. color"))
    done = shell.run(
        "--yes", "--use", "llm:values_per_attribute=2,candidates=9,attributes=[color]", "--debug"
    )
    shell.chat.script(shell.chat.fails(401, f"wrong key {SECRET}"))
    refused = shell.run("--yes", "--use", "llm:attributes=[fit]", "--to", "other.yaml", "--debug")
    assert (done.returncode, refused.returncode) == (0, 1)
    assert shell.chat.headers[0]["Authorization"] == f"Bearer {SECRET}"
    files = [path for path in shell.folder.rglob("*") if path.is_file()]
    assert len(files) >= 4
    for path in files:
        assert SECRET.encode() not in path.read_bytes(), path
    assert SECRET not in done.stdout + done.stderr + refused.stdout + refused.stderr


def test_a_dry_run_shows_the_prompts_and_sends_nothing(shell):
    done = shell.run("--dry-run")
    assert done.returncode == 0
    assert not shell.chat.requests
    assert "# said before every question\nYou help to design" in done.stdout
    assert "Show me 9 ways to describe <attribute 1> of sweater." in done.stdout
    assert done.stdout.endswith("7 questions, if every answer can be used; nothing was sent\n")
    assert sorted(path.name for path in shell.folder.iterdir()) == ["brief.yaml"]
    done = shell.run("--dry-run", "--use", "vocabulary")
    assert done.stdout == "vocabulary asks no model\n"


def test_a_rerun_keeps_what_was_edited_by_hand_and_asks_nothing(shell):
    assert shell.run("--yes").returncode == 0
    asked = len(shell.chat.requests)
    text = (shell.folder / "design.yaml").read_text()
    edited = text.replace("navy, mustard", "navy, cerise").replace("color:", "color: # mine\n     ")
    (shell.folder / "design.yaml").write_text(edited)
    done = shell.run("--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "kept, changed by hand: sweater · color: + cerise, − mustard\n"
        "design.yaml: 1 class, 4 queries\n"
    )
    assert len(shell.chat.requests) == asked
    assert shell.design["by_class"]["sweater"]["color"] == ["navy", "cerise"]
    assert shell.design["rejected"] == {"sweater": {"color": ["mustard"]}}
    assert (shell.folder / "design.yaml.work/before.yaml").read_text() == edited
    done = shell.run(said="more 9\naccept\n")
    assert "mustard" not in str(shell.design["by_class"])
    assert len(shell.design["by_class"]["sweater"]["color"]) == 6


def test_a_rerun_that_changes_nothing_leaves_the_file_alone(shell):
    shell.run("--yes")
    path = shell.folder / "design.yaml"
    path.write_text(path.read_text() + "# a remark\n")
    before = path.read_bytes()
    assert shell.run("--yes").returncode == 0
    assert path.read_bytes() == before


def test_an_attribute_without_words_is_left_out_and_stays_so(shell):
    shell.run(said="\n- loose, tight\naccept\n")
    assert shell.queries() == ["navy sweater", "mustard sweater"]
    shell.run("--yes")
    assert shell.queries() == ["navy sweater", "mustard sweater"]
    assert shell.design["rejected"] == {"sweater": {"fit": ["loose", "tight"]}}


def test_a_section_that_was_removed_by_hand_stays_away(shell):
    shell.run("--yes")
    table = shell.design
    del table["by_class"]["sweater"]["fit"]
    (shell.folder / "design.yaml").write_text(yaml.safe_dump(table))
    done = shell.run("--yes")
    assert "kept, changed by hand: sweater · fit: − loose, − tight\n" in done.stdout
    assert shell.queries() == ["navy sweater", "mustard sweater"]


def test_a_file_that_was_written_by_hand_is_kept_and_completed(shell):
    (shell.folder / "design.yaml").write_text(
        "classes: [sweater, poncho]\n"
        "attributes: {color: [ochre]}\n"
        "by_class: {poncho: {length: [short]}}\n"
        "samples_per_query: 7\n"
    )
    done = shell.run("--yes")
    assert done.stdout.startswith("kept: what is in design.yaml\n")
    assert (
        "design.yaml keeps poncho, which the brief does not name: remove what is old\n"
        in done.stdout
    )
    assert shell.design == {
        "classes": ["sweater", "poncho"],
        "by_class": {
            "sweater": {"color": ["ochre"], "fit": ["loose", "tight"]},
            "poncho": {"color": ["ochre"], "length": ["short"]},
        },
        "samples_per_query": 7,
    }


def test_a_new_class_of_the_brief_comes_first_where_the_brief_has_it(shell):
    shell.run("--yes")
    (shell.folder / "brief.yaml").write_text("subject: knitwear\nclasses: [shawl, sweater]\n")
    shell.run("--yes")
    assert shell.design["classes"] == ["shawl", "sweater"]
    assert len(shell.queries()) == 8


@pytest.mark.parametrize("end", ["quit\n", ""])
def test_a_review_that_was_not_finished_goes_on(shell, end):
    done = shell.run(said="+ cerise\n\n- tight\n" + end)
    assert done.returncode == 1
    assert done.stderr == (
        "adc: the review is not finished and design.yaml not written: the same command goes on "
        "from here, with --yes it accepts the rest\n"
    )
    assert not (shell.folder / "design.yaml").exists()
    done = shell.run("--yes")
    assert done.stdout.startswith(
        "going on with the review that was not finished: design.yaml.work/draft.yaml\n"
    )
    assert shell.design["by_class"]["sweater"] == {
        "color": ["navy", "mustard", "cerise"],
        "fit": ["loose"],
    }
    assert not (shell.folder / "design.yaml.work/draft.yaml").exists()


def test_ctrl_c_loses_nothing(shell):
    with subprocess.Popen(
        shell.command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=shell.folder,
        env=shell.environment,
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write("+ cerise\n")
        process.stdin.flush()
        draft = shell.folder / "design.yaml.work/draft.yaml"
        while not (draft.exists() and "cerise" in draft.read_text()):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert process.stderr.read() == "adc: interrupted: run the same command again to continue\n"
    asked = len(shell.chat.requests)
    assert shell.run(said="accept\n").returncode == 0
    assert shell.design["by_class"]["sweater"]["color"] == ["navy", "mustard", "cerise"]
    assert len(shell.chat.requests) == asked + 2


def test_edits_after_an_interruption_win(shell):
    shell.run("--yes")
    shell.run(said="+ cerise\n")
    path = shell.folder / "design.yaml"
    path.write_text(path.read_text().replace("navy, mustard", "navy"))
    done = shell.run("--yes")
    assert "kept, changed by hand: sweater · color: − mustard\n" in done.stdout
    assert shell.design["by_class"]["sweater"]["color"] == ["navy"]


def test_more_where_the_model_fails_is_a_line_and_no_end(shell):
    shell.run("--yes")
    shell.chat.model = lambda _: shell.chat.fails(402, "pay first")
    done = shell.run(said="more 9\naccept\n")
    assert done.returncode == 0
    assert f"  {shell.chat.host} answered 402: pay first; check the account" in done.stdout
    assert shell.design["by_class"]["sweater"]["color"] == [
        *("navy", "mustard", "teal", "burgundy", "cream", "rust")
    ]


@pytest.mark.parametrize(
    ("use", "attributes"),
    [
        ("vocabulary:values_per_attribute=2", {"color", "material", "pattern"}),
        ("attributes:color=[red, blue],cut=[wide]", {"color", "cut"}),
    ],
)
def test_other_designers_can_be_reviewed_too(shell, use, attributes):
    done = shell.run("--use", use, said="- red, blue\n+ ochre\nmore 2\naccept\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert set(shell.design["by_class"]["sweater"]) == attributes
    assert "ochre" in shell.design["by_class"]["sweater"]["color"]
    assert not shell.chat.requests


def test_a_design_without_attributes(shell):
    assert shell.run("--use", "attributes").returncode == 0
    assert shell.queries() == ["sweater"]
    (shell.folder / "brief.yaml").write_text("subject: knitwear\n")
    done = shell.run("--use", "attributes:classes=[cap]", "--to", "other.yaml")
    assert (done.returncode, done.stderr) == (
        2,
        "adc: attributes proposes no attributes: there is nothing to review\n",
    )


def test_a_pattern_that_nobody_writes_is_not_said(shell):
    shell.run("--yes", "--use", "vocabulary:values_per_attribute=1")
    assert shell.queries() == ["blue wool sweater"]


@pytest.mark.parametrize(
    ("words", "brief", "message"),
    [
        (
            ["--to", "design.json"],
            None,
            "--to design.json: a design is written as YAML: end it in .yaml",
        ),
        (
            ["--use", "llm:values_per_attribute=0"],
            None,
            "--use llm: values_per_attribute: Input should be greater than or equal to 1",
        ),
        (["--use", "lmm"], None, '--use lmm: adc.designers has no "lmm": did you mean "llm"?'),
        ([], "classes: [a]\n", "brief.yaml: subject: Field required"),
        ([], "subject: x\n", "no classes: name them in the brief, as classes: [sweater, shirt]"),
    ],
)
def test_faults(shell, words, brief, message):
    if brief:
        (shell.folder / "brief.yaml").write_text(brief)
    done = shell.run(*words, "--yes")
    assert (done.returncode, done.stderr) == (2, f"adc: {message}\n")


def test_faults_of_the_file_that_is_there_are_found_first(shell):
    (shell.folder / "design.yaml").write_text(
        "classes: [sweater]\nby_class: {sweater: {color: [red, Red]}}\n"
    )
    done = shell.run("--yes")
    assert (done.returncode, done.stderr) == (
        2,
        "adc: design.yaml: attributes: attribute 'color' holds 'Red' twice: keep one\n",
    )
    assert not shell.chat.requests


def test_written_out_queries_are_refused(shell):
    (shell.folder / "design.yaml").write_text("classes: [a]\nqueries: [{text: an a, class: a}]\n")
    done = shell.run("--yes")
    assert done.stderr == "adc: design.yaml: queries are written out: give another --to\n"


def test_the_command_imports_nothing_heavy():
    code = (
        "import sys; import adc_plugins_search.commands.design\n"
        "print([name for name in ('numpy', 'urllib3', 'pydantic', 'yaml') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


def test_the_files_that_the_docs_show_are_right(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "designing.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r'```yaml title="([\w.]+)"\n(.*?)```', page, re.DOTALL))
    brief = Brief.model_validate(yaml.safe_load(shown["brief.yaml"]))
    (tmp_path / "design.yaml").write_text(shown["design.yaml"])
    design = FileDesigner(path=tmp_path / "design.yaml").design(brief)
    assert len(design.queries) == 10
    assert {query.text for query in design.queries} >= {"ivory sweater", "rust paisley shawl"}
