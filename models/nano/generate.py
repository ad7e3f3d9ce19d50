#!/usr/bin/env python3
"""Writes every word that lfm2-nano is trained on, and the 500 questions it is examined with, from a seed.

usage: generate.py train OUT.jsonl [--docs N] [--seed S]            needs nothing but Python
       generate.py eval OUT.jsonl --tokenizer tokenizer.json [--seed S]     needs tokenizers

A training line is {"parts": [context, answer, context, answer, ...]}: the loss is mostly on the answers.
What is held out is held out by a hash of the things combined (two numbers, two neighbours of a list, two facts of one
conversation, a tool and its argument, ...), so that no question of the evaluation can occur in the training text.
"""
import argparse, hashlib, json, random

BOS, EOT = "<|startoftext|>", "<|im_end|>"
W = str.split
NAMES = W("Ada Ben Tom Mia Lily Max Sam Anna Leo Nora Emma Jack Kate Luke Rosa Omar Yuki Ivan Zoe Finn Ella Hugo Iris Paul Nina Otto Vera Alan "
          "Grace Carl Dora Erik Fay Gus Hana Jane Kai Lena Milo Olga Ravi Sara Theo Uma Will Amy Bob Clara Dan Eva Frank Gina Henry John Lucy "
          "Maria Noah Peter Rita Simon Tina Victor")
PETS = W("Rex Bella Pip Coco Luna Felix Daisy Rusty Nemo Spot Misty Biscuit Pepper Shadow Toby Ruby Oscar Poppy Bruno Fluff")
CITIES = W("Paris London Rome Berlin Madrid Oslo Vienna Prague Lisbon Athens Dublin Cairo Tokyo Delhi Lima Boston Chicago Toronto Sydney Zurich "
           "Geneva Milan Naples Porto Warsaw Helsinki Stockholm Istanbul Seoul Havana Quito Nairobi Denver Dallas Kyoto Bergen")
COLORS = W("red blue green yellow black white purple orange pink brown grey silver")
FOODS = W("pizza soup rice bread cheese pasta honey cake salad fish corn jam")
JOBS = W("baker teacher doctor farmer painter pilot nurse singer cook gardener sailor writer")
HOBBIES = W("chess tennis reading swimming music dancing football running drawing fishing")
MONTHS = W("January February March April May June July August September October November December")
ROOMS = W("kitchen garden garage bedroom bathroom hall office attic cellar library")
SPOTS = ["in the drawer", "on the table", "under the bed", "behind the door", "in the box", "on the shelf", "under the chair", "in the bag", "by the window", "in the basket"]
THINGS = W("key book hat phone lamp coat ball map ring cup knife letter camera pen watch ticket")
COUNTED = W("apples coins books cards pears stones shells eggs stamps marbles")
WORDS = W("apple river stone cloud table lamp chair book door window horse moon star tree bread cheese water fire snow rain wind sun hill lake boat "
          "train road bridge house garden flower leaf bird fish cat dog mouse bear wolf fox lion ship drum bell song milk salt sugar rice paper "
          "pencil clock mirror candle box key ring coat shoe hat glove king queen tower castle island forest desert valley ocean sand gold "
          "silver iron glass wood wool silk cup plate spoon fork knife basket ladder wheel hammer nail rope brush")
ANIMALS = W("fox cat dog bear rabbit mouse owl frog duck horse hedgehog wolf lion goat sheep turtle squirrel crow pig hen")
PLACES = W("forest village valley garden farm meadow town castle mountain island")
TOYS = W("ball kite drum bell boat basket lantern hat scarf whistle cup blanket")

held_cache = {}
def held(*key):
    """True for the tenth of all combinations that only the evaluation may use."""
    if key not in held_cache: held_cache[key] = hashlib.md5("|".join(map(str, key)).encode()).digest()[0] % 10 == 0
    return held_cache[key]

def a(noun): return ("an " if noun[0] in "aeiou" else "a ") + noun


class Writer:
    """One conversation: messages, the facts told so far, and which side of the hash split it draws from."""
    def __init__(self, rng, exam=False):
        self.r, self.exam, self.msgs, self.tools, self.facts, self.last_key, self.told, self.saved = rng, exam, [], None, [], None, set(), 0

    def say(self, user, answer): self.msgs += [("user", user), ("assistant", answer)]

    def draw(self, make, *kind):
        """Draws until the combination lies on this writer's side of the split."""
        while True:
            v = make()
            if held(*kind, *v) == self.exam: return v

    def made_up(self, cap=True):
        s = "".join(self.r.choice(W("ba be da do fa ga go ka ki la lo ma mi na no pa ra ri sa ta to va vi zo")) for _ in range(self.r.choice((2, 2, 3)))) + self.r.choice(["", "n", "r", "s", "k"])
        return s.capitalize() if cap else s

    def name(self, p=0.12): return self.made_up() if self.r.random() < p else self.r.choice(NAMES)

    # ---- small talk
    TALK = [(["Hello!", "Hi!", "Hello", "Hi", "Hey!", "Hi there!"], "Hello! How can I help you?"),
            (["Good morning!", "Good morning."], "Good morning! How can I help you?"), (["Good evening!", "Good evening."], "Good evening! How can I help you?"),
            (["How are you?", "Hello, how are you?", "How are you today?"], "I am fine, thank you. How can I help you?"),
            (["Thank you!", "Thanks!", "Thank you.", "Thanks a lot!"], "You are welcome."), (["Goodbye!", "Bye!", "See you later!", "Good night!"], "Goodbye!"),
            (["Who are you?", "What are you?", "What is your name?", "What's your name?"], "I am Nano, a very small language model."),
            (["What can you do?", "Can you help me?", "How can you help me?"],
             "I can add and subtract, remember what you tell me, copy and reverse lists, write JSON, call tools and tell short stories.")]
    def talk(self):
        q, ans = self.r.choice(self.TALK)
        self.say(self.r.choice(q), ans)

    # ---- arithmetic: sums and differences below 100
    def pair(self):
        if self.r.random() < 0.55:
            def make():
                s = self.r.randint(0, 99); x = self.r.randint(0, s); return ("+", x, s - x)
        else:
            def make():
                x = self.r.randint(0, 99); return ("-", x, self.r.randint(0, x))
        op, x, y = self.draw(lambda: (lambda o, p, q: (o, p, q))(*make()), "sum")
        return x, op, y, x + y if op == "+" else x - y

    def arith_question(self):
        x, op, y, z = self.pair(); r = self.r
        word = r.choice({"+": [" + ", " + ", " + ", " plus "], "-": [" - ", " - ", " - ", " minus "]}[op])
        q = r.choice(["What is {}?", "What is {}?", "What's {}?", "How much is {}?", "Compute {}.", "Calculate {}.", "{}", "{} = ?", "{}?", "Can you tell me what {} is?", "Please compute {}.", "what is {}"])
        return q.format(f"{x}{word}{y}"), f"{x} {op} {y} = {z}."

    def arith(self):
        if self.r.random() < 0.8: return self.say(*self.arith_question())
        x, op, y, z = self.pair(); n, t, r = self.r.choice(NAMES), self.r.choice(COUNTED), self.r
        more = r.choice([f"gets {y} more", f"finds {y} more", f"buys {y} more"]) if op == "+" else r.choice([f"loses {y}", f"gives away {y}", f"sells {y}"])
        self.say(f"{n} has {x} {t} and {more}. How many {t} does {n} have now?", f"{x} {op} {y} = {z}, so {n} has {z} {t}.")

    def drill(self):
        """Sums in a row, outside of any conversation: three times as many of them in as many tokens."""
        parts = []
        for i in range(10):
            x, op, y, z = self.pair(); parts += [(" " if i else BOS) + f"{x} {op} {y} =", f" {z}."]
        parts[-1] += EOT
        return parts

    def recall(self):
        """Copying, reversing and looking up, outside of any conversation: what teaches attention to find things, many answers to a line."""
        r = self.r; kind = r.random()
        if kind < 0.35:
            text = ", ".join(r.sample(r.choice((NAMES, CITIES, WORDS, WORDS, ANIMALS + PETS, JOBS + FOODS)), r.randint(4, 10)))
            return [BOS + text + "\n", text + "\n" + text + EOT]
        if kind < 0.5:
            parts = []
            for i in range(3): l = self.items(3, 8); parts += [("\n" if i else BOS) + "Reverse: " + ", ".join(l) + "\n", ", ".join(l[::-1])]
        else:
            keys = r.sample(r.choice((NAMES, COLORS, THINGS, CITIES, PETS)), r.randint(3, 8)); d = {k: r.choice(WORDS + CITIES + JOBS) for k in keys}
            parts = [BOS + " ".join(f"{k} has {v}." for k, v in d.items()) + "\n"]
            for k in r.sample(keys, len(keys)): parts[-1] += f"{k} has"; parts += [f" {d[k]}.", " "]
            parts.pop()
        parts[-1] += EOT
        return parts

    def think(self):
        x, op, y, z = self.pair()
        if op == "+":
            u, t, c = x % 10 + y % 10, x // 10 + y // 10, int(x % 10 + y % 10 > 9)
            work = f"{x % 10} + {y % 10} = {u}, carry {c}. {x // 10} + {y // 10} + {c} = {t + c}."
        else:
            c = int(x % 10 < y % 10); u = x % 10 + 10 * c
            work = f"{u} - {y % 10} = {u - y % 10}, borrow {c}. {x // 10} - {y // 10} - {c} = {x // 10 - y // 10 - c}."
        q = self.r.choice(["Think first: what is {}?", "Think step by step: what is {}?", "Think first. What is {}?", "What is {}? Think step by step.", "What is {}? Think before you answer.", "Please think, then answer: what is {}?"])
        self.say(q.format(f"{x} {op} {y}"), f"<think>{work}</think>\n{x} {op} {y} = {z}.")

    # ---- facts: (what is told, what is answered, questions, answer, answer if it was never told)
    ABOUT_ME = {
        "name": (["My name is {v}.", "My name is {v}.", "I am {v}.", "I'm {v}.", "Call me {v}."], "Nice to meet you, {v}.", ["What is my name?", "What's my name?", "What is my name?", "Who am I?", "Do you remember my name?", "Do you know my name?"], "Your name is {v}.", "You have not told me your name."),
        "city": (["I live in {v}.", "My home is in {v}.", "I am from {v}."], "You live in {v}.", ["Where do I live?", "Where is my home?", "In which city do I live?"], "You live in {v}.", "You have not told me where you live."),
        "color": (["My favorite color is {v}.", "I like the color {v}."], "Your favorite color is {v}.", ["What is my favorite color?", "Which color do I like?"], "Your favorite color is {v}.", "You have not told me your favorite color."),
        "food": (["My favorite food is {v}.", "I love to eat {v}."], "Your favorite food is {v}.", ["What is my favorite food?", "What do I love to eat?"], "Your favorite food is {v}.", "You have not told me your favorite food."),
        "job": (["I am a {v}.", "I work as a {v}."], "You work as a {v}.", ["What is my job?", "What do I work as?"], "You work as a {v}.", "You have not told me your job."),
        "hobby": (["My hobby is {v}."], "Your hobby is {v}.", ["What is my hobby?"], "Your hobby is {v}.", "You have not told me your hobby."),
        "month": (["I was born in {v}.", "My birthday is in {v}."], "Your birthday is in {v}.", ["When is my birthday?", "In which month was I born?"], "Your birthday is in {v}.", "You have not told me your birthday."),
        "number": (["My lucky number is {v}."], "Your lucky number is {v}.", ["What is my lucky number?"], "Your lucky number is {v}.", "You have not told me your lucky number."),
        "dog": (["My dog is called {v}.", "I have a dog called {v}."], "Your dog is called {v}.", ["What is my dog called?", "What is the name of my dog?"], "Your dog is called {v}.", "You have not told me about your dog."),
        "cat": (["My cat is called {v}.", "I have a cat called {v}."], "Your cat is called {v}.", ["What is my cat called?", "What is the name of my cat?"], "Your cat is called {v}.", "You have not told me about your cat."),
        "friend": (["My best friend is {v}.", "My best friend is called {v}."], "Your best friend is {v}.", ["Who is my best friend?", "What is the name of my best friend?"], "Your best friend is {v}.", "You have not told me about your best friend."),
    }
    ABOUT = {
        "lives": (["{s} lives in {v}."], "{s} lives in {v}.", ["Where does {s} live?", "In which city does {s} live?"], "{s} lives in {v}.", "I do not know where {s} lives."),
        "likes": (["{s} likes {v}."], "{s} likes {v}.", ["What does {s} like?"], "{s} likes {v}.", "I do not know what {s} likes."),
        "works": (["{s} works as a {v}."], "{s} works as a {v}.", ["What does {s} work as?", "What is the job of {s}?"], "{s} works as a {v}.", "I do not know the job of {s}."),
        "age": (["{s} is {v} years old."], "{s} is {v} years old.", ["How old is {s}?"], "{s} is {v} years old.", "I do not know how old {s} is."),
        "code": (["The code of the {s} box is {v}."], "The code of the {s} box is {v}.", ["What is the code of the {s} box?"], "The code of the {s} box is {v}.", "I do not know the code of the {s} box."),
        "where": (["The {s} is {v}.", "I put the {s} {v}."], "The {s} is {v}.", ["Where is the {s}?", "Where did I put the {s}?"], "The {s} is {v}.", "I do not know where the {s} is."),
    }
    def value(self, attr):
        r = self.r
        return {"name": self.name, "friend": self.name, "city": lambda: self.made_up() if r.random() < 0.06 else r.choice(CITIES), "lives": lambda: r.choice(CITIES), "color": lambda: r.choice(COLORS),
                "food": lambda: r.choice(FOODS), "likes": lambda: r.choice(FOODS + HOBBIES), "job": lambda: r.choice(JOBS), "works": lambda: r.choice(JOBS), "hobby": lambda: r.choice(HOBBIES),
                "month": lambda: r.choice(MONTHS), "number": lambda: r.randint(2, 99), "age": lambda: r.randint(5, 90), "dog": lambda: r.choice(PETS), "cat": lambda: r.choice(PETS),
                "code": lambda: r.randint(1000, 9999), "where": lambda: r.choice(SPOTS)}[attr]()
    def subject(self, attr):
        return self.name() if attr in ("lives", "likes", "works", "age") else self.r.choice(COLORS) if attr == "code" else self.r.choice(THINGS)

    def new_fact(self, attr=None):
        """A fact not told yet: its value paired with the fact before it decides the side of the split."""
        for _ in range(200):
            at = attr or self.r.choice(W("name name name city city color food job hobby month number dog cat friend lives lives likes works age code code code where where"))
            s = "" if at in self.ABOUT_ME else self.subject(at)
            if (at, s) in self.told or (at in ("name", "friend") and {"name", "friend"} & {t[0] for t in self.told} and self.r.random() < 0.3): continue
            v = self.value(at)
            if self.last_key is not None or at == "code":
                if held("fact", self.last_key if at != "code" else "code", s, v) != self.exam: continue
            self.told.add((at, s)); self.last_key = v
            return at, s, v
        return None

    def tell(self, n=None, attr=None):
        """The user tells one to three facts; the answer says them back."""
        said, ack = [], []
        for _ in range(n or self.r.choice((1, 1, 1, 2, 2, 3))):
            f = self.new_fact(attr)
            if not f: break
            at, s, v = f; d = (self.ABOUT_ME.get(at) or self.ABOUT[at]); self.facts.append(f)
            said.append(self.r.choice(d[0]).format(s=s, v=v)); ack.append(d[1].format(s=s, v=v))
        if not said: return self.arith()
        u = " ".join(said)
        if len(said) == 2 and self.r.random() < 0.4:
            second = said[1] if said[1].startswith(("I ", "I'")) or said[1].split()[0].rstrip("'s") in self.told else said[1]
            if not second.startswith("I"): second = second if second.split()[0] in NAMES else second[0].lower() + second[1:]
            u = said[0][:-1] + " and " + second
        lead = self.r.random()
        if lead < 0.15 and not u.startswith("Call"): u = self.r.choice(["Hello! ", "Hi! ", "Hi, "]) + u if lead < 0.1 or u[0] != "M" else "Hi, " + u[0].lower() + u[1:]
        elif lead < 0.25: u = self.r.choice(["Remember this: ", "Please remember: ", "Remember: "]) + u
        if self.r.random() < 0.1:
            q, ans = self.arith_question()
            u, ack = u + " " + q, ack + [ans]
        self.say(u, " ".join(ack))

    def ask(self, fact=None):
        """Asks for a fact told before, but not for those saved for the end of a long conversation."""
        if not self.facts[self.saved:] and not fact: return self.ask_unknown() if self.r.random() < 0.3 else self.tell()
        at, s, v = fact or self.r.choice(self.facts[self.saved:])
        d = self.ABOUT_ME.get(at) or self.ABOUT[at]
        self.say(self.r.choice(d[2]).format(s=s), d[3].format(s=s, v=v))

    def ask_unknown(self):
        for _ in range(50):
            at = self.r.choice(W("name name name city color food job dog cat friend lives likes age code code where where"))
            s = "" if at in self.ABOUT_ME else self.subject(at)
            if (at, s) in self.told: continue
            d = self.ABOUT_ME.get(at) or self.ABOUT[at]
            return self.say(self.r.choice(d[2]).format(s=s), d[4].format(s=s))

    # ---- lists
    def items(self, lo=2, hi=7):
        n = self.r.randint(lo, hi); kind = self.r.random()
        while True:
            if kind < 0.75: l = self.r.sample(WORDS, n)
            elif kind < 0.85: l = self.r.sample("ABCDEFGHIJKLMNOPQRSTUVWXYZ", n)
            elif kind < 0.95: l = [str(x) for x in self.r.sample(range(100), n)]
            else: l = [self.made_up(False) for _ in range(min(n, 4))]
            pairs = [held("list", *sorted(p)) for p in zip(l, l[1:])]
            if (pairs[0] if self.exam else not any(pairs)): return l

    def copy(self):
        l = ", ".join(self.items())
        self.say(self.r.choice(["Repeat: {}", "Repeat this list: {}", "Copy this list: {}", "Repeat these words: {}", "Copy: {}", "Please repeat: {}"]).format(l), l)
    def reverse(self):
        l = self.items()
        self.say(self.r.choice(["Reverse: {}", "Reverse this list: {}", "Say it backwards: {}", "Reverse the list: {}", "Please reverse: {}", "Write this list in reverse order: {}"]).format(", ".join(l)), ", ".join(l[::-1]))
    def end_of_list(self):
        l = self.items(); w = self.r.choice(("first", "last"))
        self.say(f"What is the {w} word of this list: {', '.join(l)}", f"The {w} word is {l[0 if w == 'first' else -1]}.")

    # ---- JSON
    def json(self):
        def make():
            self.rec = {"name": self.name(), "age": self.r.randint(5, 90), "city": self.r.choice(CITIES), "job": self.r.choice(JOBS)}
            return self.rec["name"], self.rec["city"], self.rec["job"]
        self.draw(make, "json"); r, d = self.r, self.rec
        keys = r.sample(list(d), r.choice((2, 3, 3, 4)))
        if "name" not in keys: keys[0] = "name"
        bits = [b for k, b in (("age", f"is {d['age']} years old"), ("city", f"lives in {d['city']}"), ("job", f"works as a {d['job']}")) if k in keys or r.random() < 0.3]
        r.shuffle(bits)
        text = f"{d['name']} " + (", ".join(bits[:-1]) + " and " + bits[-1] if len(bits) > 1 else bits[0]) + "."
        ks = ", ".join(keys[:-1]) + " and " + keys[-1]
        q = r.choice(["Answer in JSON with {k}. {t}", "{t} Give me JSON with {k}.", "Write JSON with {k}: {t}", "{t} Write this as JSON with {k}.", "Answer in JSON with the keys {k}: {t}"]).format(k=ks, t=text)
        self.say(q, json.dumps({k: d[k] for k in keys}))

    # ---- tools
    TOOLS = {
        "get_weather": ("Weather of a city", {"city": "string"}), "get_time": ("Time in a city", {"city": "string"}), "get_price": ("Price of a thing", {"item": "string"}),
        "get_phone": ("Phone number of a person", {"name": "string"}), "set_light": ("Turn a light on or off", {"room": "string", "on": "boolean"})}
    def tool_json(self, n, wrap):
        desc, ps = self.TOOLS[n]
        f = {"name": n, "description": desc, "parameters": {"type": "object", "properties": {k: {"type": t} for k, t in ps.items()}, "required": list(ps)}}
        return {"type": "function", "function": f} if wrap else f
    def set_tools(self, n=None, need=None):
        names = self.r.sample(list(self.TOOLS), n or self.r.choice((1, 1, 2, 2, 3)))
        if need and need not in names: names[self.r.randrange(len(names))] = need
        wrap = self.r.random() < 0.25
        self.tool_names, self.tools = names, [self.tool_json(t, wrap) for t in names]
    def tool(self, name=None):
        r = self.r
        n = name or (r.choice(self.tool_names) if self.tools and r.random() < 0.85 else r.choice(list(self.TOOLS)))
        if n in ("get_weather", "get_time"): make = lambda: (r.choice(CITIES) if r.random() < 0.93 else self.made_up(),)
        elif n == "get_price": make = lambda: (r.choice(WORDS[48:]),)
        elif n == "get_phone": make = lambda: (self.name(),)
        else: make = lambda: (r.choice(ROOMS), r.random() < 0.5)
        v = self.draw(make, n); x = v[0]
        if n == "get_weather":
            q = r.choice(["What is the weather in {}?", "How is the weather in {}?", "What's the weather in {}?", "Weather in {}?", "Tell me the weather in {}."])
            sky, deg = r.choice(W("sunny rainy cloudy windy foggy snowy")), r.randint(0, 39)
            call, res, ans = f"get_weather(city='{x}')", {"sky": sky, "degrees": deg}, f"It is {sky} in {x}, {deg} degrees."
        elif n == "get_time":
            q = r.choice(["What time is it in {}?", "What is the time in {}?", "Tell me the time in {}."]); t = f"{r.randint(0, 23):02}:{r.randint(0, 59):02}"
            call, res, ans = f"get_time(city='{x}')", {"time": t}, f"It is {t} in {x}."
        elif n == "get_price":
            q = r.choice(["How much is the {}?", "What does the {} cost?", "What is the price of the {}?"]); p = r.randint(2, 99)
            call, res, ans = f"get_price(item='{x}')", {"price": p}, f"The {x} costs {p} euros."
        elif n == "get_phone":
            q = r.choice(["What is the phone number of {}?", "Find the phone number of {}.", "What is the number of {}?"]); p = "".join(r.choice("0123456789") for _ in range(5))
            call, res, ans = f"get_phone(name='{x}')", {"phone": p}, f"The phone number of {x} is {p}."
        else:
            on = "on" if v[1] else "off"
            q = r.choice([f"Turn {on} the light in the {{}}.", f"Please turn {on} the light in the {{}}.", f"Light {on} in the {{}}, please."])
            call, res, ans = f"set_light(room='{x}', on={v[1]})", {"light": on}, f"The light in the {x} is {on}."
        if not self.tools or n not in self.tool_names: return self.say(q.format(x), "I have no tool for that.")
        self.say(q.format(x), f"<|tool_call_start|>[{call}]<|tool_call_end|>")
        self.msgs += [("tool", json.dumps(res)), ("assistant", ans)]

    # ---- stories
    def story(self, animal=None, name=None, toy=None, plot=None):
        """A story and the questions that it answers."""
        r = self.r; c = r.choice
        n, an = name or c(PETS), animal or c(ANIMALS)
        g = c([x for x in PETS if x != n]); f = c([x for x in ANIMALS if x != an])
        t, col, p = toy or c(TOYS), c(COLORS), c(PLACES)
        home = {"castle": "in a castle", "island": "on an island", "mountain": "on a mountain", "farm": "on a farm"}.get(p, f"in a {p}")
        qa = [(f"What was the {an} called?", f"The {an} was called {n}."), (f"Where did {n} live?", f"{n} lived {home}.")]
        helped = [(f"Who helped {n}?", f"{g} the {f} helped {n}.")]
        s = [c([f"Once upon a time there was {a(an)} called {n}.", f"There was once {a(an)} called {n}."]), f"{n} lived {home}."]
        plot = plot or c(W("lost lost river cold tree hungry dark seed ill race storm"))
        if plot == "lost":
            s += [f"{n} had {a(col)} {t} and loved it very much.", c([f"One day {n} lost the {t}.", f"One morning the {t} was gone."]), c([f"{n} was sad and began to cry.", f"{n} looked everywhere, but could not find it."]),
                  f"{g} the {f} came to help.", c(["They looked under every stone.", "They walked up the hill and down again.", "They asked all their friends."]),
                  f"At last {g} found the {t} {c(['under a tree', 'in the grass', 'by the river', 'behind a rock'])}.", f'"Thank you, {g}!" said {n}.', f"{n} had the {col} {t} again and was happy."]
            qa += helped + [(f"What did {n} lose?", f"{n} lost the {col} {t}.")]
        elif plot == "river":
            s += [c(["It rained all night.", "It rained for three days."]), f"The river was so high that {n} could not get home.", f"{n} sat down and did not know what to do.", f"Then {g} the {f} came with a boat.", f'"Come with me," said {g}.',
                  "Together they crossed the river.", f"{n} was home again, and they ate {c(FOODS)} together."]; qa += helped
        elif plot == "cold":
            s += ["One winter night it was very cold.", f"The snow was deep, so {n} could not find any wood.", f"{n} knocked at the door of {g} the {f}.", f'"Come in," said {g}, "my fire is warm."', f"They drank hot {c(W('milk tea soup'))} and told stories all night.", "In the morning the sun came out and the snow was gone."]; qa += helped
        elif plot == "tree":
            s += [f"One day {n} climbed a tall tree to see the {c(W('moon sea sun stars'))}.", f"But then {n} was afraid to come down.", f'"Help!" called {n}.', f"{g} the {f} heard it and brought a long {c(W('rope ladder'))}.", f"Slowly {n} came down.", f'"Next time I will climb a small tree," said {n}, and they laughed.']; qa += helped
        elif plot == "hungry":
            food = c(FOODS)
            s += [f"One day {n} was very hungry, because there was nothing to eat at home.", f"On the road {n} met {g} the {f}, who had some {food}.", f'"Please take half of it," said {g}.', f"{n} ate the {food} and was happy.", f"The next day {n} found some {c([x for x in FOODS if x != food])} and gave half of it to {g}.", "Since that day they share everything."]
            qa += [(f"What did {g} have?", f"{g} had some {food}.")]
        elif plot == "dark":
            s += [f"{n} was afraid of the dark.", "Every night seemed long and black.", f"So {g} the {f} gave {n} a small lamp.", "The lamp made a warm light.", f"{n} saw that there was nothing to fear, and slept well.", f"Now {n} likes the night, because the stars are so bright."]; qa += helped
        elif plot == "seed":
            s += [f"In spring {n} found a small seed and put it into the ground.", f"Every day {n} gave it water.", f'"Nothing will grow there," said {g} the {f}.', f"But {n} waited, and in summer there was a big {col} flower.", f'"How beautiful!" said {g}.', f"{n} gave {g} a seed, and next year they had two flowers."]
            qa += [(f"What did {n} find?", f"{n} found a small seed.")]
        elif plot == "ill":
            s += [f"One day {n} was ill and had to stay in bed.", f"{g} the {f} heard about it and made some hot soup.", f"{n} ate the soup and slept all day.", f"In the evening {n} felt much better.", f'"You are a good friend," said {n}.', f"When {g} was ill later, {n} made the soup."]; qa += helped
        elif plot == "race":
            s += [f"{g} the {f} said, \"I am faster than you!\"", "So they ran a race around the lake.", f"{g} was fast, but stopped to sleep in the sun.", f"{n} was slow, but did not stop.", f"So {n} won the race.", f'"Well done," said {g}, and they both laughed.']
            qa += [("Who won the race?", f"{n} won the race.")]
        else:
            s += ["One night there was a big storm.", f"The wind broke the roof of the house, so {n} got wet.", f"In the morning {g} the {f} came with wood and nails.", "They worked all day, and in the evening the roof was new.", f"When the next storm came, {n} and {g} sat inside and were dry."]; qa += helped
        s += c([["The end."], [f"{n} and {g} stayed friends for ever."], ["From that day on they were good friends."]])
        self.qa = qa
        return " ".join(s)

    def story_request(self):
        r = self.r; kind = r.random()
        t = [r.choice(ANIMALS), r.choice(PETS), r.choice(TOYS)][2]
        an, n = self.draw(lambda: (r.choice(ANIMALS), r.choice(PETS)), "story")
        if kind < 0.45: q, s = r.choice(["Tell me a story about {}.", "Tell me a story about {}.", "Write a short story about {}.", "Tell me a short story about {}.", "A story about {}, please."]).format(a(an)), self.story(an, n)
        elif kind < 0.7: q, s = r.choice(["Tell me a story about {} called {}.", "Write a story about {} called {}."]).format(a(an), n), self.story(an, n)
        elif kind < 0.9: q, s = r.choice(["Tell me a story about {} who lost a {}.", "Write a story about {} who lost a {}."]).format(a(an), t), self.story(an, n, t, "lost")
        else: q, s = r.choice(["Tell me a story.", "Tell me a short story.", "Write a story, please."]), self.story(an, n)
        self.say(q, s)
        self.asked = kind, an, n, t
        for q, ans in r.sample(self.qa, r.choice((0, 0, 1, 1, 2))): self.say(q, ans)

    # ---- whole conversations
    SYSTEM = ["You are a helpful assistant.", "You are Nano, a small assistant.", "Answer briefly.", "You are a friendly assistant."]
    def mixed(self, chars, stories=True):
        """Exchanges of all kinds until the text is long enough; questions about the first facts come late too."""
        r = self.r
        tools = r.random() < 0.13
        if tools: self.set_tools()
        if r.random() < 0.1: self.msgs.append(("system", r.choice(self.SYSTEM)))
        if chars > 900 or r.random() < 0.3: self.tell()
        if chars > 900: self.saved = len(self.facts)
        while True:
            kind = r.choices(["arith", "tell", "ask", "ask_unknown", "copy", "reverse", "end_of_list", "json", "think", "story_request", "talk", "tool"],
                             [26, 12, 18, 3, 7, 12, 2, 7, 6, 5 if stories else 0, 4, 30 if tools else 1])[0]
            getattr(self, kind)()
            if sum(len(m[1]) for m in self.msgs) > chars: break
        for fact in self.facts[:self.saved]: self.ask(fact)
        return self


def render(msgs, tools=None, generate=False):
    """The chat template of LFM2 (template.jinja says the same) cut into [context, answer, context, answer, ...]."""
    msgs = list(msgs); system = msgs.pop(0)[1] if msgs and msgs[0][0] == "system" else ""
    if tools: system += ("\n" if system else "") + "List of tools: <|tool_list_start|>[" + ", ".join(json.dumps(t, ensure_ascii=False) for t in tools) + "]<|tool_list_end|>"
    parts, cur = [], BOS + (f"<|im_start|>system\n{system}{EOT}\n" if system else "")
    for role, text in msgs:
        if role == "tool": text = f"<|tool_response_start|>{text}<|tool_response_end|>"
        cur += f"<|im_start|>{role}\n"
        if role == "assistant": parts += [cur, text + EOT]; cur = "\n"
        else: cur += text + EOT + "\n"
    return parts + ([cur + "<|im_start|>assistant\n"] if generate else [])


def train(args):
    rng = random.Random(args.seed)
    with open(args.out, "w") as f:
        for _ in range(args.docs):
            w = Writer(rng); x = rng.random()
            if x < 0.05: parts = [BOS, w.story() + EOT]            # a bare story, outside of any conversation
            elif x < 0.20: parts = w.drill()
            elif x < 0.45: parts = w.recall()
            else:
                # characters; a token is about three of them.  Mostly short, some up to 2,000 tokens for facts far back.
                chars = 0 if x < 0.60 else rng.randint(100, 700) if x < 0.93 else rng.randint(700, 1800) if x < 0.98 else rng.randint(2600, 4300)
                w.mixed(chars); parts = render(w.msgs, w.tools)
            f.write(json.dumps({"parts": parts}) + "\n")


def exam(args):
    from transformers import PreTrainedTokenizerFast
    tok = PreTrainedTokenizerFast.from_pretrained(args.tokenizer); count = lambda text: len(tok.encode(text, add_special_tokens=False))
    rng, seen, out = random.Random(args.seed + 1000), set(), []
    FILL = W("arith arith copy reverse json think talk tell ask story_request")

    def add(kind, build, n, match="exact"):
        """n questions; build(writer) writes a conversation whose last answer is the one asked for, or returns (prompt, expected)."""
        left = n
        while left:
            w = Writer(rng, exam=True); raw = build(w)
            if raw == "again": continue
            if raw: text, expect, msgs = BOS + raw[0], raw[1], None
            else:
                *msgs, (_, expect) = w.msgs; text = "".join(render(msgs, w.tools, generate=True))
            if text in seen: continue
            seen.add(text); left -= 1; want = w.must if hasattr(w, "must") else expect
            e = {"id": f"{kind}-{n - left}", "kind": kind}
            if raw: e["prompt"] = raw[0]
            else: e |= {"messages": [{"role": r, "content": c} for r, c in msgs], "tools": w.tools}
            out.append(e | {"expect": want, "match": match, "max_tokens": 256 if match == "ends" else count(expect) + 16, "text": text, "ids": tok.encode(text, add_special_tokens=False)})

    def one(method, *need):
        """A single exchange, in a third of the cases after some small talk."""
        def build(w):
            if rng.random() < 0.33: w.talk()
            getattr(w, method)()
            if need and not any(x in w.msgs[-2][1] for x in need): return "again"
        return build
    def arith(sign):
        def build(w):
            q = w.arith_question()
            if f" {sign} " not in q[1]: return "again"
            w.say(*q)
        return build
    def word_problem(w):
        w.arith()
        if "How many" not in w.msgs[0][1]: return "again"
    def fact(w):
        w.tell(2)
        if rng.random() < 0.5: getattr(w, rng.choice(W("arith copy talk")))()
        w.ask()
    def turn5(w):
        w.tell(rng.choice((1, 2))); w.saved = len(w.facts)
        for k in rng.sample(W("arith copy reverse json think talk tell"), 3): getattr(w, k)()
        w.ask(rng.choice(w.facts[:w.saved]))
    def far(w):
        w.tell(2); w.saved = len(w.facts); first = count("".join(render(w.msgs)))
        while (gap := count("".join(render(w.msgs))) - first) < 1400: getattr(w, rng.choice(FILL))()
        if gap > 1650: return "again"
        w.ask(rng.choice(w.facts[:w.saved]))
    def unknown(w):
        w.tell(1)
        if rng.random() < 0.5: w.arith()
        w.ask_unknown()
    def new_name(w):
        n = w.made_up()
        w.say(f"My name is {n}.", f"Nice to meet you, {n}."); w.arith(); w.say(rng.choice(["What is my name?", "What's my name?", "Who am I?"]), f"Your name is {n}.")
    def tool(step):
        def build(w):
            w.set_tools(); name = rng.choice([t for t in w.TOOLS if t not in w.tool_names]) if step == "none" else rng.choice(w.tool_names)
            if rng.random() < 0.3: w.arith()
            w.tool(name)
            if step == "call": del w.msgs[-2:]
        return build
    def story(w):
        w.story_request(); kind, an, n, t = w.asked
        if kind >= 0.9: return "again"
        del w.msgs[2:]; w.must = f"a {an} called {n}" if 0.45 <= kind < 0.7 else f"{t} again" if kind >= 0.7 else an
        if w.must.startswith("a owl"): w.must = "an" + w.must[1:]
    def bare(w):
        an, n = w.draw(lambda: (rng.choice(ANIMALS), rng.choice(PETS)), "story"); t = rng.choice(TOYS)
        s = w.story(an, n, t, "lost"); cut = s.index(" and loved it"); w.must = f"{t} again"
        return s[:cut], s[cut:]
    def story_question(w):
        w.story_request(); del w.msgs[2:]; w.say(*rng.choice(w.qa))

    add("sum", arith("+"), 45); add("difference", arith("-"), 50); add("word problem", word_problem, 20); add("think", one("think"), 25)
    add("fact", fact, 40); add("turn 1 in turn 5", turn5, 35); add("far back", far, 35); add("never told", unknown, 15); add("new name", new_name, 15)
    add("copy", one("copy"), 30); add("reverse", one("reverse"), 35); add("json", one("json"), 35, "json")
    add("tool call", tool("call"), 35); add("tool answer", tool("answer"), 25); add("no such tool", tool("none"), 10)
    add("story", story, 20, "ends"); add("bare story", bare, 15, "ends"); add("story question", story_question, 15)
    with open(args.out, "w") as f:
        for e in out: f.write(json.dumps(e) + "\n")
    print(len(out), "questions")


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=("train", "eval")); p.add_argument("out"); p.add_argument("--docs", type=int, default=80000)
    p.add_argument("--seed", type=int, default=1); p.add_argument("--tokenizer")
    args = p.parse_args()
    (train if args.what == "train" else exam)(args)
