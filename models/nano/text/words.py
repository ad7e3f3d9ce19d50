"""The words that the text is made of."""
NAMES = (
    "Ada Ben Tom Mia Lily Max Sam Anna Leo Nora Emma Jack Kate Luke Rosa Omar Yuki Ivan Zoe Finn Ella Hugo Iris "
    "Paul Nina Otto Vera Alan Grace Carl Dora Erik Fay Gus Hana Jane Kai Lena Milo Olga Ravi Sara Theo Uma Will Amy "
    "Bob Clara Dan Eva Frank Gina Henry John Lucy Maria Noah Peter Rita Simon Tina Victor"
).split()
PETS = (
    "Rex Bella Pip Coco Luna Felix Daisy Rusty Nemo Spot Misty Biscuit Pepper Shadow Toby Ruby Oscar Poppy Bruno "
    "Fluff"
).split()
CITIES = (
    "Paris London Rome Berlin Madrid Oslo Vienna Prague Lisbon Athens Dublin Cairo Tokyo Delhi Lima Boston Chicago "
    "Toronto Sydney Zurich Geneva Milan Naples Porto Warsaw Helsinki Stockholm Istanbul Seoul Havana Quito Nairobi "
    "Denver Dallas Kyoto Bergen"
).split()
COLORS = "red blue green yellow black white purple orange pink brown grey silver".split()
FOODS = "pizza soup rice bread cheese pasta honey cake salad fish corn jam".split()
JOBS = "baker teacher doctor farmer painter pilot nurse singer cook gardener sailor writer".split()
HOBBIES = "chess tennis reading swimming music dancing football running drawing fishing".split()
MONTHS = "January February March April May June July August September October November December".split()
ROOMS = "kitchen garden garage bedroom bathroom hall office attic cellar library".split()
SPOTS = ["in the drawer", "on the table", "under the bed", "behind the door", "in the box", "on the shelf",
         "under the chair", "in the bag", "by the window", "in the basket"]
THINGS = "key book hat phone lamp coat ball map ring cup knife letter camera pen watch ticket".split()
COUNTED = "apples coins books cards pears stones shells eggs stamps marbles".split()
WORDS = (
    "apple river stone cloud table lamp chair book door window horse moon star tree bread cheese water fire snow "
    "rain wind sun hill lake boat train road bridge house garden flower leaf bird fish cat dog mouse bear wolf fox "
    "lion ship drum bell song milk salt sugar rice paper pencil clock mirror candle box key ring coat shoe hat "
    "glove king queen tower castle island forest desert valley ocean sand gold silver iron glass wood wool silk cup "
    "plate spoon fork knife basket ladder wheel hammer nail rope brush"
).split()
ANIMALS = (
    "fox cat dog bear rabbit mouse owl frog duck horse hedgehog wolf lion goat sheep turtle squirrel crow pig hen"
).split()
PLACES = "forest village valley garden farm meadow town castle mountain island".split()
TOYS = "ball kite drum bell boat basket lantern hat scarf whistle cup blanket".split()
SKIES = "sunny rainy cloudy windy foggy snowy".split()
LETTERS = list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
SYLLABLES = "ba be da do fa ga go ka ki la lo ma mi na no pa ra ri sa ta to va vi zo".split()


def a(noun):
    """The noun with its article."""
    return ("an " if noun[0] in "aeiou" else "a ") + noun
