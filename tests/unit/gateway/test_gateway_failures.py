"""Back ends that are slow, failing, gone or talking rubbish: every turn is still answered."""

from __future__ import annotations

import asyncio
import base64

import pytest

from hal.shared import sentences


async def ask_aloud(client, audio):
    await client.send("wake_word_detected")
    await client.expect("ack", "state_change")
    await client.send("audio_chunk", audio=base64.b64encode(audio).decode(), is_final=True)
    return (await client.receive_until("state_change"))[-2]


@pytest.mark.parametrize("mode", ["vanish", "garbage"])
async def test_listener_that_breaks_off(start_gateway, open_client, listener, mode):
    client = await open_client(await start_gateway())
    listener.mode = mode
    response = await client.ask("one")
    assert (response["status"], response["text"]) == ("error", sentences.NO_RECORDS)
    listener.mode = "normal"
    assert (await client.ask("two"))["status"] == "success"


async def test_listener_that_is_too_slow(start_gateway, open_client, listener):
    client = await open_client(await start_gateway(listener_timeout_s=0.2))
    listener.mode = "slow"
    assert (await client.ask("one"))["text"] == sentences.NO_RECORDS


@pytest.mark.parametrize("slow", ["speech", "ollama"])
async def test_each_back_end_has_its_own_time_limit(start_gateway, open_client, voice, request, slow):
    limits = {"speech_timeout_s": 600, "ollama_timeout_s": 600, "turn_timeout_s": 600} | {
        f"{slow}_timeout_s": 0.2
    }
    client = await open_client(await start_gateway(**limits))
    request.getfixturevalue(slow).mode = "slow"
    if slow == "speech":
        assert (await ask_aloud(client, voice(0.3)))["text"] == sentences.NO_SPEECH
    else:
        assert (await client.ask("why"))["text"] == sentences.NO_LANGUAGE_MODEL


async def test_turn_that_exceeds_its_deadline(start_gateway, open_client, listener):
    client = await open_client(await start_gateway(turn_timeout_s=0.2))
    listener.mode = "slow"
    assert (await client.ask("one"))["text"] == sentences.TOO_SLOW


async def test_listener_that_reports_an_error_is_quoted(start_gateway, open_client, listener):
    client = await open_client(await start_gateway())
    listener.mode = "failing"
    response = await client.ask("one")
    assert (response["status"], response["text"]) == ("error", "The records are locked.")


async def test_listener_reply_without_a_newline(start_gateway, open_client, listener):
    listener.newline = b""
    client = await open_client(await start_gateway())
    assert (await client.ask("one"))["text"] == "answer to one"


async def test_listener_gone_and_back(start_gateway, open_client, listener):
    client = await open_client(await start_gateway())
    await listener.stop()
    assert (await client.ask("one"))["text"] == sentences.NO_RECORDS
    await listener.start(listener.port)
    assert (await client.ask("two"))["text"] == "answer to two"
    await listener.stop()
    await listener.start()


@pytest.mark.parametrize("mode", ["vanish", "garbage", "failing"])
async def test_language_model_out_of_order(start_gateway, open_client, ollama, mode):
    client = await open_client(await start_gateway())
    ollama.mode = mode
    response = await client.ask("why")
    assert (response["status"], response["intent"], response["text"]) == (
        "error",
        "GENERAL",
        sentences.NO_LANGUAGE_MODEL,
    )


@pytest.mark.parametrize("mode", ["vanish", "garbage", "failing"])
async def test_speech_recognition_out_of_order(start_gateway, open_client, speech, voice, mode):
    client = await open_client(await start_gateway())
    speech.mode = mode
    response = await ask_aloud(client, voice(0.3))
    assert (response["status"], response["text"]) == ("error", sentences.NO_SPEECH)
    assert response["intent"]


async def test_ai_hosts_gone_leaves_the_records(start_gateway, open_client, voice, unused_tcp_port):
    nobody = (f"http://127.0.0.1:{unused_tcp_port}",)
    client = await open_client(await start_gateway(speech_urls=nobody, ollama_urls=nobody))
    assert (await client.ask("my medications"))["status"] == "success"
    assert (await client.ask("why"))["text"] == sentences.NO_LANGUAGE_MODEL
    assert (await ask_aloud(client, voice(0.3)))["text"] == sentences.NO_SPEECH


async def test_no_ai_hosts_configured(start_gateway, open_client, voice):
    client = await open_client(await start_gateway(speech_urls=(), ollama_urls=()))
    assert (await client.ask("why"))["text"] == sentences.NO_LANGUAGE_MODEL
    assert (await ask_aloud(client, voice(0.3)))["text"] == sentences.NO_SPEECH


async def test_bad_audio_is_not_held_against_the_service(start_gateway, open_client, speech, voice):
    gateway = await start_gateway()
    client = await open_client(gateway)
    speech.status = 422
    for _ in range(4):  # more than open a breaker
        assert (await ask_aloud(client, voice(0.3)))["text"] == sentences.BAD_AUDIO
    speech.status = 200
    assert (await ask_aloud(client, voice(0.3)))["status"] == "success"


async def test_nothing_understood(start_gateway, open_client, speech, voice):
    client = await open_client(await start_gateway())
    speech.reply = {"text": " "}
    assert (await ask_aloud(client, voice(0.3)))["text"] == sentences.NOTHING_HEARD


async def test_second_address_takes_over(start_gateway, open_client, ollama, unused_tcp_port):
    client = await open_client(
        await start_gateway(ollama_urls=(f"http://127.0.0.1:{unused_tcp_port}", ollama.url))
    )
    assert (await client.ask("why"))["text"] == "Because of the air."


async def test_reply_that_is_too_large(start_gateway, open_client, ollama):
    client = await open_client(await start_gateway())
    ollama.reply = {"message": {"content": "x" * 1_100_000}}
    assert (await client.ask("why"))["text"] == sentences.NO_LANGUAGE_MODEL


async def test_model_that_only_thinks_is_not_taken_for_one_that_is_gone(start_gateway, open_client, ollama):
    client = await open_client(await start_gateway())
    for thought in ("<think>and so on", "and so on</think>", "<|channel|>analysis<|message|>and so on", ""):
        ollama.reply = {"message": {"content": thought}, "done_reason": "length"}
        response = await client.ask("why")
        assert (response["text"], response["status"]) == (sentences.NOTHING_TO_SAY, "error")


async def test_answer_that_was_cut_ends_with_a_whole_sentence(start_gateway, open_client, ollama):
    client = await open_client(await start_gateway())
    ollama.reply = {"message": {"content": "**Air** scatters it. And then the"}, "done_reason": "length"}
    assert (await client.ask("why"))["text"] == "Air scatters it."
    ollama.reply["done_reason"] = "stop"
    assert (await client.ask("why"))["text"] == "Air scatters it. And then the"


async def test_loading_goes_on_while_everybody_is_told_that_the_model_is_warming_up(
    start_gateway, open_client, ollama
):
    client = await open_client(await start_gateway(ollama_load_wait_s=0.05, ollama_timeout_s=0.5))
    ollama.mode = "loading"
    for _ in range(4):  # more than open a breaker
        response = await client.ask("why")
        assert (response["text"], response["status"]) == (sentences.WARMING_UP, "error")
    assert ollama.requests == [{"model": "tiny", "stream": False}]
    assert not ollama.left.is_set()
    ollama.mode = "normal"
    ollama.release.set()
    assert (await client.ask("why"))["text"] == "Because of the air."


async def test_another_server_answers_while_the_first_one_loads(start_gateway, open_client, ollama, twin):
    urls = (ollama.url, twin.url)
    client = await open_client(await start_gateway(ollama_urls=urls, ollama_load_wait_s=1.0))
    ollama.mode = "loading"
    assert (await client.ask("why"))["text"] == "I am the second. And that is all."
    twin.mode = "failing"
    assert (await client.ask("why"))["text"] == sentences.WARMING_UP


async def test_loading_that_fails_is_a_failure(start_gateway, open_client, ollama):
    client = await open_client(await start_gateway())
    ollama.status = 404
    assert (await client.ask("why"))["text"] == sentences.NO_LANGUAGE_MODEL


async def test_a_stop_gives_up_loading(start_gateway, open_client, ollama):
    gateway = await start_gateway(ollama_load_wait_s=0.05)
    client = await open_client(gateway)
    ollama.mode = "loading"
    assert (await client.ask("why"))["text"] == sentences.WARMING_UP
    await gateway.stop()
    async with asyncio.timeout(5):
        await ollama.left.wait()


async def test_client_that_leaves_in_mid_turn_leaves_nothing_behind(
    start_gateway, open_client, listener, until
):
    gateway = await start_gateway()
    client = await open_client(gateway)
    listener.mode = "slow"
    await client.send("text_input", text="one")
    await asyncio.wait_for(listener.asked.wait(), 5)
    client.socket.transport.abort()
    await asyncio.wait_for(listener.left.wait(), 5)
    await until(lambda: not gateway.sessions)
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith(("turn", "writer"))]


async def test_stop_answers_the_turn_in_flight_and_closes_with_1001(start_gateway, open_client, listener):
    gateway = await start_gateway()
    client = await open_client(gateway)
    listener.mode = "slow"
    await client.send("text_input", text="one")
    await asyncio.wait_for(listener.asked.wait(), 5)
    stopping = asyncio.create_task(gateway.stop())
    await asyncio.sleep(0)
    await client.send("text_input", text="two")
    _, refusal = await client.expect("processing", "response")
    assert refusal["text"] == sentences.RESTARTING
    listener.release.set()
    response, _ = await client.expect("response", "state_change")
    assert response["text"] == "answer to one"
    await client.socket.wait_closed()
    assert client.socket.close_code == 1001
    await stopping


async def test_stop_gives_up_a_turn_that_takes_too_long_and_says_so(start_gateway, open_client, listener):
    gateway = await start_gateway(drain_timeout_s=0.1)
    client = await open_client(gateway)
    listener.mode = "slow"
    await client.send("text_input", text="one")
    await asyncio.wait_for(listener.asked.wait(), 5)
    await gateway.stop()
    _, response = await client.expect("processing", "response")
    assert (response["status"], response["text"]) == ("error", sentences.RESTARTING)
