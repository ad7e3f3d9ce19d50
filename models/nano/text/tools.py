"""Tools in the system prompt, calls and the use of what they answer."""
import json

from .words import CITIES, ROOMS, SKIES, WORDS
from .writer import Writer

TOOLS = {  # what each is for, and its parameters
    "get_weather": ("Weather of a city", {"city": "string"}),
    "get_time": ("Time in a city", {"city": "string"}),
    "get_price": ("Price of a thing", {"item": "string"}),
    "get_phone": ("Phone number of a person", {"name": "string"}),
    "set_light": ("Turn a light on or off", {"room": "string", "on": "boolean"}),
}
WEATHER = ["What is the weather in {}?", "How is the weather in {}?", "What's the weather in {}?", "Weather in {}?",
           "Tell me the weather in {}."]
TIME = ["What time is it in {}?", "What is the time in {}?", "Tell me the time in {}."]
PRICE = ["How much is the {}?", "What does the {} cost?", "What is the price of the {}?"]
PHONE = ["What is the phone number of {}?", "Find the phone number of {}.", "What is the number of {}?"]


def description(name, wrapped):
    text, parameters = TOOLS[name]
    properties = {k: {"type": t} for k, t in parameters.items()}
    parameters = {"type": "object", "properties": properties, "required": list(parameters)}
    function = {"name": name, "description": text, "parameters": parameters}
    return {"type": "function", "function": function} if wrapped else function


class Tools(Writer):
    any_tool = 0.15  # of the questions that need a tool: those for any, be it listed or not

    def set_tools(self):
        self.tool_names = self.r.sample(list(TOOLS), self.r.choice((1, 1, 2, 2, 3)))
        wrapped = self.r.random() < 0.15
        self.tools = [description(name, wrapped) for name in self.tool_names]

    def argument(self, tool):
        if tool in ("get_weather", "get_time"):
            return (self.r.choice(CITIES) if self.r.random() < 0.93 else self.made_up(),)
        if tool == "get_price":
            return (self.r.choice(WORDS[48:]),)
        if tool == "get_phone":
            return (self.name(),)
        return self.r.choice(ROOMS), self.r.random() < 0.5

    def tool(self, name=None):
        """A question that needs a tool, its call, the result, and the answer; or that there is no such tool."""
        if not name:
            among = self.tool_names if self.tools and self.r.random() < 1 - self.any_tool else list(TOOLS)
            name = self.r.choice(among)
        value = self.draw(lambda: self.argument(name), name)
        question, call, result, answer = getattr(self, name)(*value)
        if not self.tools or name not in self.tool_names:
            return self.say(question, "I have no tool for that.")
        self.say(question, f"<|tool_call_start|>[{call}]<|tool_call_end|>")
        self.msgs += [("tool", json.dumps(result)), ("assistant", answer)]

    def get_weather(self, city):
        question, sky, degrees = self.r.choice(WEATHER), self.r.choice(SKIES), self.r.randint(0, 39)
        return (question.format(city), f"get_weather(city='{city}')", {"sky": sky, "degrees": degrees},
                f"It is {sky} in {city}, {degrees} degrees.")

    def get_time(self, city):
        question, time = self.r.choice(TIME), f"{self.r.randint(0, 23):02}:{self.r.randint(0, 59):02}"
        return question.format(city), f"get_time(city='{city}')", {"time": time}, f"It is {time} in {city}."

    def get_price(self, item):
        question, price = self.r.choice(PRICE), self.r.randint(2, 99)
        return question.format(item), f"get_price(item='{item}')", {"price": price}, f"The {item} costs {price} euros."

    def get_phone(self, name):
        question, phone = self.r.choice(PHONE), "".join(self.r.choice("0123456789") for _ in range(5))
        return (question.format(name), f"get_phone(name='{name}')", {"phone": phone},
                f"The phone number of {name} is {phone}.")

    def set_light(self, room, turn_on):
        on = "on" if turn_on else "off"
        question = self.r.choice([f"Turn {on} the light in the {room}.", f"Please turn {on} the light in the {room}.",
                                  f"Light {on} in the {room}, please."])
        return question, f"set_light(room='{room}', on={turn_on})", {"light": on}, f"The light in the {room} is {on}."
