"""Answers in JSON."""
import json

from .words import CITIES, JOBS
from .writer import Writer

QUESTIONS = ["Answer in JSON with {keys}. {text}", "{text} Give me JSON with {keys}.", "Write JSON with {keys}: {text}",
             "{text} Write this as JSON with {keys}.", "Answer in JSON with the keys {keys}: {text}"]


def listed(words):
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else words[0]


class Records(Writer):
    def person(self):
        person = {}

        def make():
            person.update(name=self.name(), age=self.r.randint(5, 90), city=self.r.choice(CITIES),
                          job=self.r.choice(JOBS))
            return person["name"], person["city"], person["job"]

        self.draw(make, "json")
        return person

    def json(self):
        person = self.person()
        keys = self.r.sample(list(person), self.r.choice((2, 3, 3, 4)))
        if "name" not in keys:
            keys[0] = "name"
        told = {"age": f"is {person['age']} years old", "city": f"lives in {person['city']}",
                "job": f"works as a {person['job']}"}
        told = [text for key, text in told.items() if key in keys or self.r.random() < 0.3]
        self.r.shuffle(told)
        question = self.r.choice(QUESTIONS).format(keys=listed(keys), text=f"{person['name']} {listed(told)}.")
        self.say(question, json.dumps({key: person[key] for key in keys}))
