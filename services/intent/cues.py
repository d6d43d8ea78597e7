"""Short lists of phrases that support what the model says; none of them decides alone.

They are kept short and in one place so that a bank's staff can read and check them.
"""

import re

_FRAUD = re.compile(
    r"安全账户|监管的?账户|核查账户|保证金账户|屏幕共享|共享屏幕|开(?:着|了)?(?:那个|个)?共享|远程控制|公检法|公安局|分局|警官|通缉令|检察院|洗钱"
    r"|验证码(?:告诉|给了|发给|报给|念给)|(?:告诉|给了?|发给|报给)(?:他|她|对方|人家)验证码|刷流水|验证一?下?流水"
    r"|百万保障|不能跟别人(?:讲|说)|别告诉(?:别人|家里)|不准挂|不让(?:我)?挂|被骗|骗子让|骗走|刷单|做任务|点赞返"
    r"|safe account|screen shar|share my screen|scammed|gave (?:him|her|them) the code"
)
"""What fraudsters on the phone say or make people do (the police's and regulators' warnings name the same)."""

_AGAIN = re.compile(
    r"第[二三四五六七八两几\d]+(?:遍|回|次)(?:了|问|打|说|来|跟)|(?:问|说|讲|打)(?:了|过)(?:你们?)?[两二三四五六七八几好多\d]+(?:遍|回|次)"
    r"|又(?:得|要)?(?:问|说|讲)一遍|车轱辘话"
    r"|(?:second|third|fourth) time i|how many times|(?:asked|told) (?:you )?(?:twice|already|again|before)"
)
"""What people say when they are asked to say the same again."""

_POINTS_BACK = re.compile(
    r"^[嗯呃啊哦 ]*(?:对|是的?|没错|就是|就那|那[个张笔条种]|这[个张笔条种]|可以|要的?|好的?[那就]"
    r"|yes|yeah|right|correct|that one|this one|the (?:first|second|other) one)"
)
_CLOSES = re.compile(
    r"谢|再见|拜拜|没(?:了|事|别的)|不用了|知道了|明白|清楚了|先这样|挂了|bye|thank|that's all|nothing else"
)


def hints_at_fraud(text: str) -> bool:
    """Whether a normalised text names something typical of phone fraud."""
    return _FRAUD.search(text) is not None


def says_again(text: str) -> bool:
    """Whether a normalised text complains about having to ask again."""
    return _AGAIN.search(text) is not None


def points_back(text: str) -> bool:
    """Whether a normalised text confirms or points at something said before, and does not end the matter."""
    return _POINTS_BACK.match(text) is not None and _CLOSES.search(text) is None
