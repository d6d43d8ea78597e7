"""What a bad line, a hasty caller and a speech recogniser do to an utterance."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from random import Random

from pypinyin import Style, lazy_pinyin

HAN = re.compile(r"[\u4e00-\u9fff]")
PUNCTUATION = re.compile(r"[，。？！、；：,.?!;:…]+")
FILLERS_ZH = ("嗯", "呃", "那个", "就是", "就是说", "哎", "喂", "你好", "我说", "啊", "这个", "然后", "那什么", "诶")
FILLERS_EN = ("uh", "um", "so", "well", "hi", "hello", "okay", "you know", "like", "please")
TAILS_ZH = ("啊", "呢", "吧", "嘛", "行吗", "可以吗", "谢谢", "哈", "呀", "对吧")
DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")
NUMERALS = str.maketrans("零一二三四五六七八九", "0123456789")


class Homophones:
    """Characters that sound alike, weighted by how often they occur in the given texts.

    Args:
        texts: Texts in which the substitutes must occur.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        counts = Counter(char for text in texts for char in text if HAN.match(char))
        self._sound = {char: lazy_pinyin(char, style=Style.NORMAL)[0] for char in counts}
        self._alike: defaultdict[str, list[str]] = defaultdict(list)
        for char in counts:
            self._alike[self._sound[char]].append(char)
        self._counts = counts

    def substitute(self, char: str, random: Random) -> str:
        """Another character of the same sound; the same one where there is none."""
        others = [other for other in self._alike[self._sound[char]] if other != char] if char in self._sound else []
        return random.choices(others, [self._counts[other] for other in others])[0] if others else char


class Noise:
    """Makes a new noisy version of an utterance at every call; some calls change nothing.

    Args:
        homophones: Where misheard characters come from.
        random: Source of chance.
    """

    def __init__(self, homophones: Homophones, random: Random) -> None:
        self._homophones = homophones
        self._random = random
        self._steps: Sequence[tuple[float, Callable[[str], str]]] = (
            (0.5, self._drop_punctuation),
            (0.12, self._drop_spaces),
            (0.15, self._fill),
            (0.08, self._tail),
            (0.08, self._restart),
            (0.25, self._mishear),
            (0.10, self._digits),
            (0.06, self._lose_a_character),
        )

    def __call__(self, text: str) -> str:
        """A noisy version of the text, never empty."""
        for chance, step in self._steps:
            if self._random.random() < chance:
                text = step(text)
        return text

    def prefix(self, text: str, least: float = 0.35) -> str:
        """The beginning of the text, as a recogniser has heard it so far; at least this share of it."""
        share = self._random.uniform(least, 1.0)
        if HAN.search(text):
            return text[: max(2, round(share * len(text)))]
        words = text.split()
        return " ".join(words[: max(1, round(share * len(words)))])

    def _drop_punctuation(self, text: str) -> str:
        return PUNCTUATION.sub(" ", text).strip() or text

    def _drop_spaces(self, text: str) -> str:
        return text.replace(" ", "") if HAN.search(text) else text

    def _fill(self, text: str) -> str:
        if not HAN.search(text):
            return f"{self._random.choice(FILLERS_EN)} {text}"
        at = 0 if self._random.random() < 0.6 else self._random.randrange(len(text) + 1)
        return text[:at] + self._random.choice(FILLERS_ZH) + self._random.choice((" ", "")) + text[at:]

    def _tail(self, text: str) -> str:
        return text + self._random.choice(TAILS_ZH) if HAN.search(text) else f"{text} please"

    def _restart(self, text: str) -> str:
        if not HAN.search(text) or len(text) < 6:
            return text
        said = self._random.randrange(2, 5)
        return f"{text[:said]}{self._random.choice((' ', '', '呃', '不是 '))}{text}"

    def _mishear(self, text: str) -> str:
        share = self._random.choice((0.04, 0.08, 0.15))
        chars = [self._homophones.substitute(c, self._random) if self._random.random() < share else c for c in text]
        return "".join(chars)

    def _digits(self, text: str) -> str:
        return text.translate(DIGITS if self._random.random() < 0.5 else NUMERALS)

    def _lose_a_character(self, text: str) -> str:
        if len(text) < 5:
            return text
        at = self._random.randrange(len(text))
        return text[:at] + text[at + 1 :]
