"""Lists that are copied or turned round."""
from .words import ANIMALS, CITIES, COLORS, FOODS, JOBS, LETTERS, NAMES, PETS, THINGS, WORDS
from .writer import BOS, EOT, Writer, held

COPY = ["Repeat: {}", "Repeat this list: {}", "Copy this list: {}", "Repeat these words: {}", "Copy: {}",
        "Please repeat: {}"]
REVERSE = ["Reverse: {}", "Reverse this list: {}", "Say it backwards: {}", "Reverse the list: {}", "Please reverse: {}",
           "Write this list in reverse order: {}"]


class Lists(Writer):
    def items(self, least=2, most=7, plain=False):
        """plain: nothing of more than one token, which is much harder to turn round."""
        n, kind = self.r.randint(least, most), self.r.random()
        while True:
            if plain or kind < 0.85:
                items = self.r.sample(WORDS if kind < 0.88 else LETTERS, n)
            elif kind < 0.95:
                items = [str(x) for x in self.r.sample(range(100), n)]
            else:
                items = [self.made_up(False) for _ in range(min(n, 4))]
            pairs = [held("list", *sorted(pair)) for pair in zip(items, items[1:])]
            if pairs[0] if self.exam else not any(pairs):
                return items

    def copy(self):
        text = ", ".join(self.items())
        self.say(self.r.choice(COPY).format(text), text)

    def reverse(self):
        items = self.items(plain=True)
        self.say(self.r.choice(REVERSE).format(", ".join(items)), ", ".join(items[::-1]))

    def end_of_list(self):
        items, word = self.items(plain=True), self.r.choice(("first", "last"))
        self.say(f"What is the {word} word of this list: {', '.join(items)}",
                 f"The {word} word is {items[0 if word == 'first' else -1]}.")

    def recall(self):
        """Rows outside of any conversation that teach attention to find things: many answers in few tokens."""
        kind = self.r.random()
        parts = self.copy_row() if kind < 0.35 else self.reverse_rows() if kind < 0.5 else self.look_up_row()
        parts[-1] += EOT
        return parts

    def copy_row(self):
        made_up = [self.made_up() for _ in range(4)]
        if self.r.random() < 0.85:
            words = self.r.choice((NAMES, CITIES, WORDS, WORDS, ANIMALS + PETS, JOBS + FOODS))
            text = ", ".join(self.r.sample(words, self.r.randint(4, 10)))
        else:
            text = ", ".join(made_up)
        return [BOS + text + "\n", text + "\n" + text]

    def reverse_rows(self):
        parts = []
        for i in range(3):
            items = self.items(3, 8, plain=True)
            parts += [("\n" if i else BOS) + "Reverse: " + ", ".join(items) + "\n", ", ".join(items[::-1])]
        return parts

    def look_up_row(self):
        keys = self.r.sample(self.r.choice((NAMES, COLORS, THINGS, CITIES, PETS)), self.r.randint(3, 8))
        value = {k: self.value_to_look_up() for k in keys}
        parts = [BOS + " ".join(f"{k} has {v}." for k, v in value.items()) + "\n"]
        for k in self.r.sample(keys, len(keys)):
            parts[-1] += f"{k} has"
            parts += [f" {value[k]}.", " "]
        return parts[:-1]

    def value_to_look_up(self):
        if self.r.random() < 0.2:
            return str(self.r.randint(1, 9999))
        return self.r.choice(WORDS + CITIES + JOBS)
