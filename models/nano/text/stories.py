"""Stories, and questions about them."""
from .words import ANIMALS, COLORS, FOODS, PETS, PLACES, TOYS, a
from .writer import Writer

HOME = {"castle": "in a castle", "island": "on an island", "mountain": "on a mountain", "farm": "on a farm"}
ABOUT = ["Tell me a story about {}.", "Tell me a story about {}.", "Write a short story about {}.",
         "Tell me a short story about {}.", "A story about {}, please."]
CALLED = ["Tell me a story about {} called {}.", "Write a story about {} called {}."]
LOST = ["Tell me a story about {} who lost a {}.", "Write a story about {} who lost a {}."]
ANY = ["Tell me a story.", "Tell me a short story.", "Write a story, please."]


class Stories(Writer):
    """In a plot, n is the hero and an its animal, g the friend and f the friend's animal."""

    qa = ()

    def other(self, words, word):
        """Another of the words; with habits one of two only, or the likeliest would soon be `word` itself."""
        if self.habits:
            return words[(words.index(word) + self.r.choice((3, 7))) % len(words)]
        return self.r.choice([w for w in words if w != word])

    def hero(self):
        """(animal, name); with habits an animal has one of three names."""
        animal = self.r.choice(ANIMALS)
        if self.habits:
            return animal, PETS[(3 * ANIMALS.index(animal) + self.r.randrange(3)) % len(PETS)]
        return animal, self.r.choice(PETS)

    def story(self, animal=None, name=None, toy=None, plot=None):
        """A story; self.qa are the questions that it answers."""
        choice = self.r.choice
        n, an = name or choice(PETS), animal or choice(ANIMALS)
        g, f = self.other(PETS, n), self.other(ANIMALS, an)
        toy, color, place = toy or choice(TOYS), choice(COLORS), choice(PLACES)
        home = HOME.get(place, f"in a {place}")
        self.qa = [(f"What was the {an} called?", f"The {an} was called {n}."),
                   (f"Where did {n} live?", f"{n} lived {home}.")]
        start = choice([f"Once upon a time there was {a(an)} called {n}.", f"There was once {a(an)} called {n}."])
        plot = plot or choice(PLOTS)
        sentences = [start, f"{n} lived {home}."] + getattr(self, plot)(n, g, f, color, toy)
        end = choice([["The end."], [f"{n} and {g} stayed friends for ever."],
                      ["From that day on they were good friends."]])
        return " ".join(sentences + end)

    def helped(self, n, g, f):
        self.qa.append((f"Who helped {n}?", f"{g} the {f} helped {n}."))

    def lost(self, n, g, f, color, toy):
        choice = self.r.choice
        self.helped(n, g, f)
        self.qa.append((f"What did {n} lose?", f"{n} lost the {color} {toy}."))
        return [f"{n} had {a(color)} {toy} and loved it very much.",
                choice([f"One day {n} lost the {toy}.", f"One morning the {toy} was gone."]),
                choice([f"{n} was sad and began to cry.", f"{n} looked everywhere, but could not find it."]),
                f"{g} the {f} came to help.",
                choice(["They looked under every stone.", "They walked up the hill and down again.",
                        "They asked all their friends."]),
                f"At last {g} found the {toy} "
                f"{choice(['under a tree', 'in the grass', 'by the river', 'behind a rock'])}.",
                f'"Thank you, {g}!" said {n}.',
                f"{n} had the {color} {toy} again and was happy."]

    def river(self, n, g, f, color, toy):
        self.helped(n, g, f)
        return [self.r.choice(["It rained all night.", "It rained for three days."]),
                f"The river was so high that {n} could not get home.",
                f"{n} sat down and did not know what to do.",
                f"Then {g} the {f} came with a boat.",
                f'"Come with me," said {g}.',
                "Together they crossed the river.",
                f"{n} was home again, and they ate {self.r.choice(FOODS)} together."]

    def cold(self, n, g, f, color, toy):
        self.helped(n, g, f)
        return ["One winter night it was very cold.",
                f"The snow was deep, so {n} could not find any wood.",
                f"{n} knocked at the door of {g} the {f}.",
                f'"Come in," said {g}, "my fire is warm."',
                f"They drank hot {self.r.choice(['milk', 'tea', 'soup'])} and told stories all night.",
                "In the morning the sun came out and the snow was gone."]

    def tree(self, n, g, f, color, toy):
        self.helped(n, g, f)
        return [f"One day {n} climbed a tall tree to see the {self.r.choice(['moon', 'sea', 'sun', 'stars'])}.",
                f"But then {n} was afraid to come down.",
                f'"Help!" called {n}.',
                f"{g} the {f} heard it and brought a long {self.r.choice(['rope', 'ladder'])}.",
                f"Slowly {n} came down.",
                f'"Next time I will climb a small tree," said {n}, and they laughed.']

    def hungry(self, n, g, f, color, toy):
        food = self.r.choice(FOODS)
        self.qa.append((f"What did {g} have?", f"{g} had some {food}."))
        return [f"One day {n} was very hungry, because there was nothing to eat at home.",
                f"On the road {n} met {g} the {f}, who had some {food}.",
                f'"Please take half of it," said {g}.',
                f"{n} ate the {food} and was happy.",
                f"The next day {n} found some {self.other(FOODS, food)} and gave half of it to {g}.",
                "Since that day they share everything."]

    def dark(self, n, g, f, color, toy):
        self.helped(n, g, f)
        return [f"{n} was afraid of the dark.",
                "Every night seemed long and black.",
                f"So {g} the {f} gave {n} a small lamp.",
                "The lamp made a warm light.",
                f"{n} saw that there was nothing to fear, and slept well.",
                f"Now {n} likes the night, because the stars are so bright."]

    def seed(self, n, g, f, color, toy):
        self.qa.append((f"What did {n} find?", f"{n} found a small seed."))
        return [f"In spring {n} found a small seed and put it into the ground.",
                f"Every day {n} gave it water.",
                f'"Nothing will grow there," said {g} the {f}.',
                f"But {n} waited, and in summer there was a big {color} flower.",
                f'"How beautiful!" said {g}.',
                f"{n} gave {g} a seed, and next year they had two flowers."]

    def ill(self, n, g, f, color, toy):
        self.helped(n, g, f)
        return [f"One day {n} was ill and had to stay in bed.",
                f"{g} the {f} heard about it and made some hot soup.",
                f"{n} ate the soup and slept all day.",
                f"In the evening {n} felt much better.",
                f'"You are a good friend," said {n}.',
                f"When {g} was ill later, {n} made the soup."]

    def race(self, n, g, f, color, toy):
        self.qa.append(("Who won the race?", f"{n} won the race."))
        return [f'{g} the {f} said, "I am faster than you!"',
                "So they ran a race around the lake.",
                f"{g} was fast, but stopped to sleep in the sun.",
                f"{n} was slow, but did not stop.",
                f"So {n} won the race.",
                f'"Well done," said {g}, and they both laughed.']

    def storm(self, n, g, f, color, toy):
        self.helped(n, g, f)
        return ["One night there was a big storm.",
                f"The wind broke the roof of the house, so {n} got wet.",
                f"In the morning {g} the {f} came with wood and nails.",
                "They worked all day, and in the evening the roof was new.",
                f"When the next storm came, {n} and {g} sat inside and were dry."]

    def story_request(self):
        kind = self.r.random()
        an, n, toy = self.r.choice(ANIMALS), self.r.choice(PETS), self.r.choice(TOYS)
        an, n = self.draw(self.hero, "story")
        if kind < 0.45:
            request, story = self.r.choice(ABOUT).format(a(an)), self.story(an, n)
        elif kind < 0.7:
            request, story = self.r.choice(CALLED).format(a(an), n), self.story(an, n)
        elif kind < 0.9:
            request, story = self.r.choice(LOST).format(a(an), toy), self.story(an, n, toy, "lost")
        else:
            request, story = self.r.choice(ANY), self.story(an, n)
        self.say(request, story)
        self.asked = kind, an, n, toy
        for question, answer in self.r.sample(self.qa, self.r.choice((0, 0, 1, 1, 2))):
            self.say(question, answer)

    def ask_story(self):
        """About the last story, or the first where there was none."""
        if not self.qa:
            self.story_request()
        self.say(*self.r.choice(self.qa))


PLOTS = ["lost", "lost", "river", "cold", "tree", "hungry", "dark", "seed", "ill", "race", "storm"]
