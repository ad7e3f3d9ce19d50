"""Sums and differences below 100."""
from .words import COUNTED, NAMES
from .writer import BOS, EOT, Writer

SIGNS = {"+": [" + ", " + ", " + ", " plus "], "-": [" - ", " - ", " - ", " minus "]}
QUESTIONS = ["What is {}?", "What is {}?", "What's {}?", "How much is {}?", "Compute {}.", "Calculate {}.", "{}",
             "{} = ?", "{}?", "Can you tell me what {} is?", "Please compute {}.", "what is {}"]
THINK = ["Think first: what is {}?", "Think step by step: what is {}?", "Think first. What is {}?",
         "What is {}? Think step by step.", "What is {}? Think before you answer.",
         "Please think, then answer: what is {}?"]


class Arithmetic(Writer):
    def problem(self):
        """(x, sign, y, result)"""
        def sum_():
            total = self.r.randint(0, 99)
            x = self.r.randint(0, total)
            return "+", x, total - x

        def difference():
            x = self.r.randint(0, 99)
            return "-", x, self.r.randint(0, x)

        sign, x, y = self.draw(sum_ if self.r.random() < 0.55 else difference, "sum")
        return x, sign, y, x + y if sign == "+" else x - y

    def arith_question(self):
        x, sign, y, z = self.problem()
        word = self.r.choice(SIGNS[sign])
        return self.r.choice(QUESTIONS).format(f"{x}{word}{y}"), f"{x} {sign} {y} = {z}."

    def arith(self):
        if self.r.random() < 0.8:
            return self.say(*self.arith_question())
        x, sign, y, z = self.problem()
        who, what = self.r.choice(NAMES), self.r.choice(COUNTED)
        more = [f"gets {y} more", f"finds {y} more", f"buys {y} more"]
        less = [f"loses {y}", f"gives away {y}", f"sells {y}"]
        change = self.r.choice(more if sign == "+" else less)
        self.say(f"{who} has {x} {what} and {change}. How many {what} does {who} have now?",
                 f"{x} {sign} {y} = {z}, so {who} has {z} {what}.")

    def drill(self):
        """Sums in a row, outside of any conversation: three times as many of them in as many tokens."""
        parts = []
        for i in range(10):
            x, sign, y, z = self.problem()
            parts += [(" " if i else BOS) + f"{x} {sign} {y} =", f" {z}."]
        parts[-1] += EOT
        return parts

    def think(self):
        x, sign, y, z = self.problem()
        (tens, ones), (tens2, ones2) = divmod(x, 10), divmod(y, 10)
        if sign == "+":
            carry = int(ones + ones2 > 9)
            work = (f"{ones} + {ones2} = {ones + ones2}, carry {carry}. "
                    f"{tens} + {tens2} + {carry} = {tens + tens2 + carry}.")
        else:
            borrow = int(ones < ones2)
            ones += 10 * borrow
            work = (f"{ones} - {ones2} = {ones - ones2}, borrow {borrow}. "
                    f"{tens} - {tens2} - {borrow} = {tens - tens2 - borrow}.")
        question = self.r.choice(THINK).format(f"{x} {sign} {y}")
        self.say(question, f"<think>{work}</think>\n{x} {sign} {y} = {z}.")
