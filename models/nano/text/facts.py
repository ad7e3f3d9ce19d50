"""Facts that are told, and asked for later."""
from typing import NamedTuple

from .words import CITIES, COLORS, FOODS, HOBBIES, JOBS, MONTHS, NAMES, PETS, SPOTS, THINGS
from .writer import Writer, held


class Fact(NamedTuple):
    """How a fact is talked about; {s} is whom it is about, {v} its value."""
    told: list
    said_back: str
    asked: list
    answer: str
    unknown: str  # the answer if it was never told


ABOUT_ME = {
    "name": Fact(["My name is {v}.", "My name is {v}.", "I am {v}.", "I'm {v}.", "Call me {v}."],
                 "Nice to meet you, {v}.",
                 ["What is my name?", "What's my name?", "What is my name?", "Who am I?", "Do you remember my name?",
                  "Do you know my name?"],
                 "Your name is {v}.", "You have not told me your name."),
    "city": Fact(["I live in {v}.", "My home is in {v}.", "I am from {v}."], "You live in {v}.",
                 ["Where do I live?", "Where is my home?", "In which city do I live?"],
                 "You live in {v}.", "You have not told me where you live."),
    "color": Fact(["My favorite color is {v}.", "I like the color {v}."], "Your favorite color is {v}.",
                  ["What is my favorite color?", "Which color do I like?"],
                  "Your favorite color is {v}.", "You have not told me your favorite color."),
    "food": Fact(["My favorite food is {v}.", "I love to eat {v}."], "Your favorite food is {v}.",
                 ["What is my favorite food?", "What do I love to eat?"],
                 "Your favorite food is {v}.", "You have not told me your favorite food."),
    "job": Fact(["I am a {v}.", "I work as a {v}."], "You work as a {v}.",
                ["What is my job?", "What do I work as?"],
                "You work as a {v}.", "You have not told me your job."),
    "hobby": Fact(["My hobby is {v}."], "Your hobby is {v}.", ["What is my hobby?"],
                  "Your hobby is {v}.", "You have not told me your hobby."),
    "month": Fact(["I was born in {v}.", "My birthday is in {v}."], "Your birthday is in {v}.",
                  ["When is my birthday?", "In which month was I born?"],
                  "Your birthday is in {v}.", "You have not told me your birthday."),
    "number": Fact(["My lucky number is {v}."], "Your lucky number is {v}.", ["What is my lucky number?"],
                   "Your lucky number is {v}.", "You have not told me your lucky number."),
    "dog": Fact(["My dog is called {v}.", "I have a dog called {v}."], "Your dog is called {v}.",
                ["What is my dog called?", "What is the name of my dog?"],
                "Your dog is called {v}.", "You have not told me about your dog."),
    "cat": Fact(["My cat is called {v}.", "I have a cat called {v}."], "Your cat is called {v}.",
                ["What is my cat called?", "What is the name of my cat?"],
                "Your cat is called {v}.", "You have not told me about your cat."),
    "friend": Fact(["My best friend is {v}.", "My best friend is called {v}."], "Your best friend is {v}.",
                   ["Who is my best friend?", "What is the name of my best friend?"],
                   "Your best friend is {v}.", "You have not told me about your best friend."),
}
ABOUT = ABOUT_ME | {
    "lives": Fact(["{s} lives in {v}."], "{s} lives in {v}.",
                  ["Where does {s} live?", "In which city does {s} live?"],
                  "{s} lives in {v}.", "I do not know where {s} lives."),
    "likes": Fact(["{s} likes {v}."], "{s} likes {v}.", ["What does {s} like?"],
                  "{s} likes {v}.", "I do not know what {s} likes."),
    "works": Fact(["{s} works as a {v}."], "{s} works as a {v}.",
                  ["What does {s} work as?", "What is the job of {s}?"],
                  "{s} works as a {v}.", "I do not know the job of {s}."),
    "age": Fact(["{s} is {v} years old."], "{s} is {v} years old.", ["How old is {s}?"],
                "{s} is {v} years old.", "I do not know how old {s} is."),
    "code": Fact(["The code of the {s} box is {v}."], "The code of the {s} box is {v}.",
                 ["What is the code of the {s} box?"],
                 "The code of the {s} box is {v}.", "I do not know the code of the {s} box."),
    "where": Fact(["The {s} is {v}.", "I put the {s} {v}."], "The {s} is {v}.",
                  ["Where is the {s}?", "Where did I put the {s}?"],
                  "The {s} is {v}.", "I do not know where the {s} is."),
}
TOLD = ("name name name city city color food job hobby month number dog cat friend lives lives likes works age "
        "code code code where where").split()
ASKED_UNTOLD = "name name name city color food job dog cat friend lives likes age code code where where".split()
VALUES = {"city": CITIES, "lives": CITIES, "color": COLORS, "food": FOODS, "likes": FOODS + HOBBIES, "job": JOBS,
          "works": JOBS, "hobby": HOBBIES, "month": MONTHS, "dog": PETS, "cat": PETS, "where": SPOTS}
RANGES = {"number": (2, 99), "age": (5, 90), "code": (1000, 9999)}


class Facts(Writer):
    def subject(self, attribute):
        if attribute in ABOUT_ME:
            return ""
        if attribute in ("lives", "likes", "works", "age"):
            return self.name()
        return self.r.choice(COLORS if attribute == "code" else THINGS)

    def value(self, attribute):
        if attribute in ("name", "friend"):
            return self.name()
        if attribute in RANGES:
            return self.r.randint(*RANGES[attribute])
        if attribute == "city" and self.r.random() < 0.06:
            return self.made_up()
        return self.r.choice(VALUES[attribute])

    def names_clash(self, attribute):
        """Usually only one of the user's name and the friend's is told."""
        names = ("name", "friend")
        return attribute in names and any((n, "") in self.told for n in names) and self.r.random() < 0.3

    def new_fact(self):
        """A fact not told yet: its value paired with the one before it decides the side of the split."""
        for _ in range(200):
            attribute = self.r.choice(TOLD)
            subject = self.subject(attribute)
            if (attribute, subject) in self.told or self.names_clash(attribute):
                continue
            value = self.value(attribute)
            before = "code" if attribute == "code" else self.last_value
            if before is not None and held("fact", before, subject, value) != self.exam:
                continue
            self.told.add((attribute, subject))
            self.last_value = value
            self.facts.append((attribute, subject, value))
            return self.facts[-1]
        return None

    def tell(self, count=None):
        """The user tells one to three facts; the answer says them back."""
        said, said_back = [], []
        for _ in range(count or self.r.choice((1, 1, 1, 2, 2, 3))):
            fact = self.new_fact()
            if not fact:
                break
            attribute, s, v = fact
            said.append(self.r.choice(ABOUT[attribute].told).format(s=s, v=v))
            said_back.append(ABOUT[attribute].said_back.format(s=s, v=v))
        if not said:
            return self.arith()
        lead, text = self.r.random(), " ".join(said)
        if lead < 0.1:
            text = self.r.choice(["Hello! ", "Hi! "]) + text
        elif lead < 0.2:
            text = self.r.choice(["Remember this: ", "Please remember: ", "Remember: "]) + text
        self.say(text, " ".join(said_back))

    def ask(self, fact=None):
        """Asks for a fact told before, but not for those saved for the end of a long conversation."""
        if not self.facts[self.saved:] and not fact:
            return self.ask_unknown() if self.r.random() < 0.3 else self.tell()
        attribute, s, v = fact or self.r.choice(self.facts[self.saved:])
        self.say(self.r.choice(ABOUT[attribute].asked).format(s=s), ABOUT[attribute].answer.format(s=s, v=v))

    def ask_unknown(self):
        for _ in range(50):
            attribute = self.r.choice(ASKED_UNTOLD)
            s = self.subject(attribute)
            if (attribute, s) not in self.told:
                return self.say(self.r.choice(ABOUT[attribute].asked).format(s=s), ABOUT[attribute].unknown.format(s=s))
