import asyncio

import lfm


def test_streams_and_calls(engine, chat):
    async def main():
        sessions = [engine.session(context_tokens=256) for _ in range(3)]

        async def ask(session, a):
            text = ""
            stream = chat.stream_async(session, f"What is {a} + 25?")
            async for piece in stream:
                text += piece.text
            assert (await stream.result()).text == text
            return text
        answers = await asyncio.gather(*(ask(session, a) for a, session in enumerate(sessions, 15)))
        assert [f"= {a + 25}" in text for a, text in enumerate(answers, 15)] == [True] * 3
        answer = await chat.answer_async(sessions[0], "What is 1 + 1?", max_tokens=20)
        assert answer.finish.reason == lfm.FinishReason.END
        sessions[0].sync([7])
        finish = await sessions[0].generate_async(max_tokens=3, ignore_end=True)
        assert finish.tokens == 3
    asyncio.run(main())


def test_a_cancelled_task_ends_its_call(engine, chat):
    async def main():
        session = engine.session(context_tokens=4096)
        task = asyncio.create_task(chat.answer_async(session, "Tell me a story.", max_tokens=4000, ignore_end=True))
        await asyncio.sleep(0.05)
        task.cancel()
        try:
            await task
            raise AssertionError("it went on")
        except asyncio.CancelledError:
            pass
        session.sync([])  # it is free
        async with chat.stream_async(session, "Tell me a story.", max_tokens=4000, ignore_end=True) as stream:
            async for _ in stream:
                break
        session.sync([])
    asyncio.run(main())
