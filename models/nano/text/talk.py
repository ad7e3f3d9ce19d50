"""Small talk."""
from .writer import Writer

TALK = [
    (["Hello!", "Hi!", "Hello", "Hi", "Hey!", "Hi there!"], "Hello! How can I help you?"),
    (["Good morning!", "Good morning."], "Good morning! How can I help you?"),
    (["Good evening!", "Good evening."], "Good evening! How can I help you?"),
    (["How are you?", "Hello, how are you?", "How are you today?"], "I am fine, thank you. How can I help you?"),
    (["Thank you!", "Thanks!", "Thank you.", "Thanks a lot!"], "You are welcome."),
    (["Goodbye!", "Bye!", "See you later!", "Good night!"], "Goodbye!"),
    (["Who are you?", "What are you?", "What is your name?", "What's your name?"],
     "I am Nano, a very small language model."),
    (["What can you do?", "Can you help me?", "How can you help me?"],
     "I can add and subtract, remember what you tell me, copy and reverse lists, write JSON, call tools and tell short "
     "stories."),
]


class Talk(Writer):
    def talk(self):
        questions, answer = self.r.choice(TALK)
        self.say(self.r.choice(questions), answer)
