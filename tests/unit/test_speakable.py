"""What is read aloud of what a language model wrote, form by form."""

from __future__ import annotations

import itertools

import pytest

from hal.shared.speakable import MAX_CHARACTERS, SpeakableStream, speakable

ANSWER = "The sky is blue."


def said_in_pieces(written: str, size: int, *, is_cut: bool = False) -> list[str]:
    """Return what is given out, step by step, of an answer that arrives in pieces of `size` characters."""
    stream = SpeakableStream(begins_in_thought=written in UNANNOUNCED)
    given = []
    for piece in itertools.batched(written, size):
        stream.add("".join(piece))
        given.append(stream.sentences())
    given.append(stream.finish(is_cut=is_cut))
    assert " ".join(filter(None, given)) == stream.said
    return [said for said in given if said]


# Thoughts that begin without a mark: the prompt ended with it.
UNANNOUNCED = [
    f"Okay, the user asks about the sky.\n</think>\n\n{ANSWER}",
    f"hm</think>{ANSWER}",
    "and so on</think>\n",
    "</think>It is late. And the",
]
THOUGHTS = [
    ANSWER,
    f"<think>Air scatters.</think>{ANSWER}",
    f"<think>\nAir.\n\n</think>\n\n{ANSWER}",
    f"Okay, the user asks about the sky.\n</think>\n\n{ANSWER}",
    f"<thinking>Hm.</thinking> {ANSWER}",
    f"hm</thinking>{ANSWER}",
    f"<THINK>Hm.</Think>{ANSWER}",
    f'<think type="deep">Hm.</think>{ANSWER}',
    f"<think>one <think>two</think> three</think>{ANSWER}",
    f"<think>I write <think> first.</think>{ANSWER}",
    f"<think>one</think><think>two</think>{ANSWER}",
    f"<reasoning>Hm.</reasoning>{ANSWER}",
    f"{ANSWER} <think>Was that right",
    f"[THINK]Hm.[/THINK]{ANSWER}",
    f"◁think▷Hm.◁/think▷{ANSWER}",
    f"<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}<|return|>",
    f"<|channel|>analysis<|message|>Hm.<|channel|>final<|message|>{ANSWER}",
    f"<|channel|>commentary to=x<|message|>Hm.<|end|><|channel|>final<|message|>{ANSWER}<|end|>",
    f"<|channel|>analysis Hm.<|end|>{ANSWER}",
    f"analysisThe user asks.assistantfinal{ANSWER}",
    f"<|channel>thought\nHm.\n<channel|>{ANSWER}",
    f"<|im_start|>assistant\n<|message|>{ANSWER}<|im_end|>".replace("assistant\n", ""),
    f"{ANSWER}</s>",
]


@pytest.mark.parametrize("written", THOUGHTS)
def test_thoughts_are_not_read_aloud(written):
    assert speakable(written) == ANSWER


SILENT = [
    "",
    "<think>and so on",
    "<think>and so on</think>",
    "and so on</think>\n",
    "<thinking>and",
    "<|channel|>analysis<|message|>The user",
    "<|channel|>analysis<|message|>The user<|end|>",
    "<|channel>thought\nThe user",
    "```python\nprint(1)\n```",
    "```\nnever closed",
    "😀 🎉",
    "---\n***",
]


@pytest.mark.parametrize("written", SILENT)
def test_who_only_thinks_says_nothing(written):
    assert speakable(written) == speakable(written, is_cut=True) == ""


MARKUP = [
        ("**Bold**, *slanted*, _slanted_, __bold__, ***both*** and ~~gone~~.",
         "Bold, slanted, slanted, bold, both and gone."),
        ("**Never closed.", "Never closed."),
        ("5 * 3 * 2 is 30, and snake_case_name stays.", "5 * 3 * 2 is 30, and snake_case_name stays."),
        ("# Why\n\nBecause.", "Why. Because."),
        ("## Why? ##\nBecause.", "Why? Because."),
        ("> Quoted\n> > twice.", "Quoted twice."),
        ("One\nsentence over lines.", "One sentence over lines."),
        ("First thought\n\nSecond thought", "First thought. Second thought"),
        ("Take:\n- milk\n* eggs\n+ [x] bread!\n• salt", "Take: milk. eggs. bread! salt."),
        ("1. Rise\n2) Shine", "Rise. Shine."),
        ("42. That is all.", "42. That is all."),
        ("- 5 degrees", "5 degrees."),
        ("| Drug | Dose |\n|---|:---:|\n| Metformin | 500 mg |", "Drug, Dose. Metformin, 500 mg."),
        ("Name | Age | Town\n--- | --- | ---\nAnn | 7 | Rome", "Name, Age, Town. Ann, 7, Rome."),
        ("Above\n\n---\n\nbelow.", "Above. below."),
        ("Use `ls`, then\n\n```sh\nls -l\n```\n\nand look.", "Use ls, then. and look."),
        ("So:\n```\nnever closed", "So:"),
        ("See [the page](https://a.example/x?y=1 \"Title\"), ![a cat](cat.png) and [it][1].",
         "See the page, a cat and it."),
        ("It is at https://www.weather.example/today?x=1#y.", "It is at weather.example."),
        ("See www.weather.example/today, or <https://a.example>!", "See weather.example, or a.example!"),
        ("Blue [1], as known[^2].", "Blue, as known."),
        ("Hello 👋🏽! A family 👨‍👩‍👧, a flag 🇨🇭 and 1️⃣ star ⭐.", "Hello! A family, a flag and 1 star."),
        ("20 °C, ½ cup, © 2026 and №5.", "20 °C, ½ cup, © 2026 and №5."),
        ("<p>One</p><b>two</b><br/>three &amp; four", "One two three & four"),
        ("Tom &lt;3 her if a < b and c > d.", "Tom <3 her if a < b and c > d."),
        (r"Escaped \* star.", "Escaped * star."),
        ("Das heißt «ja».", "Das heißt «ja»."),
]  # fmt: skip


@pytest.mark.parametrize(("written", "spoken"), MARKUP)
def test_markup_becomes_sentences(written, spoken):
    assert speakable(written) == spoken
    assert speakable(spoken) == spoken


CUT = [
    ("The sky is blue. The sea is", "The sky is blue."),
    ('He said "no!" And then he', 'He said "no!"'),
    ("Take 2.5 mg. Then", "Take 2.5 mg."),
    ("Ask today. Dr. Smith and J. Doe", "Ask today."),
    ("Take:\n- milk.\n- eg", "Take: milk."),
    ("Whole. Really?", "Whole. Really?"),
    ("no end in sight", "no end in sight"),
    ("</think>It is late. And the", "It is late."),
]


@pytest.mark.parametrize(("written", "spoken"), CUT)
def test_an_answer_that_was_cut_ends_with_its_last_whole_sentence(written, spoken):
    assert speakable(written, is_cut=True) == spoken


@pytest.mark.parametrize(
    "hostile",
    ["<think>", "[", "*a", "_a ", "`", "<", "![](", "<!--", "|a", "www.", "Dr. ", "<|channel|>analysis"],
)
def test_whatever_a_model_writes_is_filtered_at_once(hostile):
    text = f"It is. {hostile * 200_000}"
    assert len(speakable(text)) <= MAX_CHARACTERS


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("written", [*THOUGHTS, *SILENT, *(written for written, _ in [*MARKUP, *CUT])])
def test_an_answer_that_arrives_in_pieces_says_the_same(written, size):
    for is_cut in (False, True):
        assert " ".join(said_in_pieces(written, size, is_cut=is_cut)) == speakable(written, is_cut=is_cut)


# Whole sentences within what only its end explains.
ENCLOSED = [
    ("[Read this. Or that](https://a.example/x) today.", "Read this. Or that today."),
    ('![A cat. Two cats](cat.png "Cats. All") here.', "A cat. Two cats here."),
    ("*Slanted here. And there.* Then not.", "Slanted here. And there. Then not."),
    ("| Aspirin. Daily | 100 mg. Or less | now |", "Aspirin. Daily, 100 mg. Or less, now."),
    ('<p title="One. Two.">Three.</p> Four.', "Three. Four."),
    ('<think type="deep. Very deep.">Hm. Ah. </think>The sky is blue.', "The sky is blue."),
    ("<!-- Hm. Ah. --> It is.", "It is."),
    ("analysis The user asks. Well. assistantfinal The sky is blue.", "The sky is blue."),
    ("<|channel|>analysis The user asks. Well. <|end|> The sky is blue.", "The sky is blue."),
    ("```sh\necho one. two.\n``` \nThat is it.", "That is it."),
    ("1. Rise. Slowly.\n2. Shine. Brightly.\n3. Rest.", "Rise. Slowly. Shine. Brightly. Rest."),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize(("written", "spoken"), ENCLOSED)
def test_sentences_within_what_only_its_end_explains_wait_for_it(written, spoken, size):
    assert " ".join(said_in_pieces(written, size)) == speakable(written) == spoken


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("written", [written for written, _ in [*MARKUP, *ENCLOSED[:5]]])
def test_what_stands_within_an_answer_is_settled_before_it_is_said(written, size):
    for answer in (f"It is so. {written}\n\nThat was all. Ask me", f"It is so.\n{written} Or not. Ask me"):
        assert " ".join(said_in_pieces(answer, size)) == speakable(answer)


def test_a_sentence_is_said_before_the_next_one_is_written():
    stream = SpeakableStream()
    said = []
    for piece in ("The sky", " is blue.", " Air scat", "ters **it**. Dr.", " Smith", " knows. *No"):
        stream.add(piece)
        said.append(stream.sentences())
    assert said == ["", "", "The sky is blue.", "Air scatters it.", "", "Dr. Smith knows."]
    assert stream.finish(is_cut=True) == ""
    assert stream.said == "The sky is blue. Air scatters it. Dr. Smith knows."


def test_a_thought_that_nothing_announced_costs_only_itself():
    stream = SpeakableStream()
    stream.add("Hm. ")
    assert stream.sentences() == "Hm."
    stream.add("Let me see.\n</think> ")
    assert stream.sentences() == ""
    stream.add("The sky is blue.")
    assert stream.finish() == ANSWER
    assert stream.said == f"Hm. {ANSWER}"
