"""What HAL itself says to a person: each is spoken aloud when a turn cannot be answered."""

WORKING = "Let me look that up."

NO_SPEECH = "Speech recognition is not available right now. Please type your question."
BAD_AUDIO = "I could not understand that recording. Please try again."
NOT_SOUND = "That looks like {}. I can only listen to a whole recording."
DID_YOU_ASK = "Did you ask: {}?"
SAY_IT_AGAIN = "Then please say it again."
NOTHING_HEARD = "I did not hear a question. Please say it again."
NO_RECORDS = "I cannot reach the household records right now. Please try again in a moment."
NO_LANGUAGE_MODEL = "The language model cannot be reached right now, so I can only answer from your records."
WARMING_UP = "HAL's language model is still warming up. Please ask again in a minute."
NOTHING_TO_SAY = "I have no answer to that. Please ask in other words."
TEXT_ONLY = "Only typed questions can be answered here. Please type your question."
RECORDS_ONLY = (
    "Only your records can be asked here."
    " Ask about medications, appointments, allergies, health readings or spending."
)
TOO_SLOW = "That took too long, so I stopped. Please try again."
FAULT = "Something went wrong while I was answering. Please try again."

EMPTY_QUESTION = "I did not get a question. Please ask again."
LONG_QUESTION = "That question is too long for me. Please say it in fewer words."
TOO_MANY_WAITING = "I am still working on your earlier questions. Please wait for their answers."
NOT_LISTENING = "I was not listening yet. Please call me first, then ask."
NOTHING_TO_REPEAT = "There is nothing to repeat yet."
RESTARTING = "I am being restarted. Please ask again in a moment."
