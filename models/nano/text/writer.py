"""What the writers of all kinds of exchanges share."""
import hashlib

from .words import NAMES, SYLLABLES

BOS, EOT = "<|startoftext|>", "<|im_end|>"
held_cache = {}


def held(*key):
    """True for the tenth of all combinations that only the evaluation may use."""
    if key not in held_cache:
        held_cache[key] = hashlib.md5("|".join(map(str, key)).encode()).digest()[0] % 10 == 0
    return held_cache[key]


class Writer:
    """One conversation: messages, the facts told so far, and which side of the split it draws from."""

    def __init__(self, rng, exam=False, habits=False):
        self.r, self.exam, self.habits = rng, exam, habits
        self.msgs = []  # (role, text)
        self.tools = None  # as the system prompt lists them
        self.facts = []  # told so far: (attribute, subject, value)
        self.told = set()  # their (attribute, subject)
        self.last_value = None  # of the fact told last
        self.saved = 0  # of the facts: those that are asked for at the end only

    def say(self, user, answer):
        self.msgs += [("user", user), ("assistant", answer)]

    def draw(self, make, *kind):
        """Draws until the combination lies on this writer's side of the split."""
        while True:
            value = make()
            if held(*kind, *value) == self.exam:
                return value

    def made_up(self, capital=True):
        """A name that nobody has."""
        count = self.r.choice((2, 2, 3))
        word = "".join(self.r.choice(SYLLABLES) for _ in range(count)) + self.r.choice(["", "n", "r", "s", "k"])
        return word.capitalize() if capital else word

    def name(self):
        return self.made_up() if self.r.random() < 0.06 else self.r.choice(NAMES)
