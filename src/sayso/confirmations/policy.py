"""What the operator's policy asks of an action: how safely it is confirmed, by whom, how soon, or not at all. Pure.

The policy is a floor. An assistant may ask for more safety than it, never for less.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from sayso.confirmations.caps import Caps
from sayso.core import spans
from sayso.core.errors import Fault, InputInvalidError
from sayso.core.faults import summary

Tier = Literal["low", "medium", "high"]
Challenge = Literal["code", "number"]
When = Literal["undelivered", "unread", "unanswered"]
Then = Literal["allow", "deny"]
#: How many of those asked have to say yes: one, all, or this many.
Need = Literal["any", "all"] | Annotated[int, Field(ge=1, le=10)]

MOST_APPROVERS: Final = 10
LONGEST_MINUTES: Final = 7 * 24 * 60
TIMEOUT_MINUTES: Final = 30
_TIERS: Final = get_args(Tier)
_MATCHES: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "lt": lambda given, bound: given < bound,
    "le": lambda given, bound: given <= bound,
    "gt": lambda given, bound: given > bound,
    "ge": lambda given, bound: given >= bound,
}
_OPERATORS: Final = frozenset({*_MATCHES, "one_of", "not"})


def seconds(text: str) -> int:
    """``90s``, ``10m``, ``2h``, ``1d`` in seconds; raises ValueError."""
    span = spans.parse(text)
    if span is None:
        raise ValueError("must be a span such as 90s, 10m, 2h or 1d")
    if not timedelta(0) < span <= timedelta(minutes=LONGEST_MINUTES):
        raise ValueError("must be between 1 second and 7 days")
    return int(span.total_seconds())


def a_span(text: str) -> str:
    """The text of one; raises ValueError for any other."""
    seconds(text)
    return text


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Name = Annotated[str, Field(min_length=1, max_length=255)]
Minutes = Annotated[int, Field(ge=1, le=LONGEST_MINUTES)]


class Step(_Part):
    """Who is asked next when the question was not delivered, read or answered by then."""

    after: Annotated[str, AfterValidator(a_span)]
    when: When = "unanswered"
    to: Name

    @property
    def after_s(self) -> int:
        """The span in seconds."""
        return seconds(self.after)


class Timeout(_Part):
    """How long a question may be answered, where the assistant does not say, and what it may say."""

    default: Minutes = TIMEOUT_MINUTES
    min: Minutes = 1
    max: Minutes = LONGEST_MINUTES

    @model_validator(mode="after")
    def _ordered(self) -> "Timeout":
        if not self.min <= self.default <= self.max:
            raise ValueError("must have min <= default <= max")
        return self


class Auto(_Part):
    """Actions that nobody is asked about. ``dry_run``: what would have been decided is told, and the person asked."""

    name: Name
    then: Then
    match: dict[str, Any] = {}
    dry_run: bool = False

    @model_validator(mode="after")
    def _sound(self) -> "Auto":
        _check_match(self.match)
        return self


class Demands(_Part):
    """What is asked of one kind of action; what is left out is as in ``[default]``."""

    tier: Tier | None = None
    challenge: Challenge | None = None
    timeout_minutes: Timeout | None = None
    approvers: Annotated[list[Name], Field(min_length=1, max_length=MOST_APPROVERS)] | None = None
    need: Need | None = None
    escalation: Annotated[list[Step], Field(max_length=MOST_APPROVERS)] | None = None
    undo_seconds: Annotated[int, Field(ge=0, le=3600)] | None = None
    remind_minutes_before: Minutes | None = None
    remind_by_template: bool | None = None
    extend_minutes: Minutes | None = None
    extend_times: Annotated[int, Field(ge=0, le=10)] | None = None
    ask_reason: bool | None = None
    reactions: bool | None = None
    use_by_minutes: Minutes | None = None
    unseen_fields: bool | None = None
    auto: list[Auto] | None = None

    @model_validator(mode="after")
    def _sound(self) -> "Demands":
        names = self.approvers or []
        if len(set(names)) < len(names):
            raise ValueError("names an approver twice")
        if isinstance(self.need, int) and names and self.need > len(names):
            raise ValueError(f"needs {self.need} of {len(names)} approvers")
        return self


class Policy(_Part):
    """The policy as it stands in its file. ``digest``: of the file, given by its reader."""

    version: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[!-*,-~]+$")]
    default: Demands = Demands()
    action: dict[str, Demands] = {}
    caps: Caps = Caps()
    digest: str = ""

    @property
    def stamp(self) -> str | None:
        """What a question and its receipt say of the policy: its version and digest; None without a policy."""
        return f"{self.version}+{self.digest}" if self.digest else None

    def demands(self, action_type: str) -> Demands:
        """What is asked of an action of this type."""
        own = self.action.get(action_type)
        if own is None:
            return self.default
        said = {name: value for name in Demands.model_fields if (value := getattr(own, name)) is not None}
        return self.default.model_copy(update=said)


#: Where no policy file is named.
NONE: Final = Policy(version="none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an assistant asks for besides; None is left to the policy. ``approvers`` are external ids."""

    action_type: str
    tier: Tier | None = None
    challenge: Challenge | None = None
    timeout_minutes: float | None = None
    approvers: Sequence[str] | None = None
    recipient_named: bool = False
    need: Need | None = None
    escalation: Sequence[Step] | None = None
    undo_seconds: int | None = None
    remind_minutes_before: int | None = None
    ask_reason: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What holds for one question."""

    tier: Tier
    challenge: Challenge | None
    timeout_minutes: float
    approvers: Sequence[str] | None
    need: Need
    escalation: Sequence[Step]
    undo_s: int
    remind_s: int | None
    extend_s: int
    extends_left: int
    ask_reason: bool
    reactions: bool
    use_by_s: int | None
    remind_by_template: bool
    unseen_fields: bool

    def needed(self, asked: int) -> int:
        """How many of so many people have to say yes."""
        return needed(self.need, asked)

    def data(self) -> dict[str, Any]:
        """As the question keeps it; its steps of escalation are added where their people are known."""
        kept = (
            "need",
            "undo_s",
            "remind_s",
            "extend_s",
            "extends_left",
            "ask_reason",
            "reactions",
            "use_by_s",
            "remind_by_template",
            "unseen_fields",
        )
        return {name: getattr(self, name) for name in kept}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules of ``auto`` say: the one that decides, and those that would have, as dry runs."""

    decided: Auto | None
    dry: Sequence[Auto] = field(default=())


def needed(need: Need, asked: int) -> int:
    """How many of so many people have to say yes."""
    return {"any": 1, "all": asked}[need] if isinstance(need, str) else need


def resolve(policy: Policy, wish: Wish) -> Rule:
    """What holds for a question; raises :class:`InputInvalidError` for what the policy does not allow."""
    demands = policy.demands(wish.action_type)
    tier = max(demands.tier or "low", wish.tier or "low", key=_TIERS.index)
    faults = [*_time_faults(demands, wish), *_whom_faults(demands, wish)]
    if wish.challenge and tier != "high":  # who asks for more safety is not given less in silence
        detail = f"is for tier high, and this is of tier {tier}; ask for `tier` high, too"
        faults.append(Fault(detail, "/challenge"))
    if faults:
        raise InputInvalidError(summary(faults), faults=faults)
    remind = _first(wish.remind_minutes_before, demands.remind_minutes_before)
    return Rule(
        tier=tier,
        challenge=(demands.challenge or wish.challenge or "code") if tier == "high" else None,
        timeout_minutes=_first(wish.timeout_minutes, (demands.timeout_minutes or Timeout()).default),
        approvers=wish.approvers if wish.approvers is not None else demands.approvers,
        need=_stricter(demands, wish),
        escalation=wish.escalation if wish.escalation is not None else demands.escalation or (),
        undo_s=max(demands.undo_seconds or 0, wish.undo_seconds or 0),
        remind_s=None if remind is None else remind * 60,
        extend_s=(demands.extend_minutes or 0) * 60,
        extends_left=_first(demands.extend_times, 1) if demands.extend_minutes else 0,
        ask_reason=wish.ask_reason or bool(demands.ask_reason),
        reactions=bool(demands.reactions) and tier == "low",
        use_by_s=demands.use_by_minutes * 60 if demands.use_by_minutes else None,
        remind_by_template=bool(demands.remind_by_template),
        unseen_fields=bool(demands.unseen_fields) and tier != "high",
    )


def ruling(policy: Policy, action_type: str, action: Any) -> Ruling:
    """What is decided without asking anybody. A rule that denies counts before one that allows, wherever it stands."""
    rules = [rule for rule in policy.demands(action_type).auto or [] if matches(rule.match, action)]
    real = [rule for rule in rules if not rule.dry_run]
    real.sort(key=lambda rule: rule.then == "allow")
    return Ruling(real[0] if real else None, [rule for rule in rules if rule.dry_run])


def matches(match: Mapping[str, Any], action: Any) -> bool:
    """Whether an action has everything that ``match`` names; what is not there matches nothing."""
    return isinstance(action, Mapping) and all(
        name in action and _fits(wanted, action[name]) for name, wanted in match.items()
    )


def still_allows(policy: Policy, asked: Mapping[str, Any], approvers: Sequence[str] = ()) -> str | None:
    """Why the policy of today does not allow what was asked under an earlier one; None when it does.

    ``asked`` is the question's row, ``approvers`` those who said yes, by the names in :func:`who_may` where they are
    among them.
    """
    if policy.stamp is None or policy.stamp == asked["policy_version"]:
        return None
    action_type = asked["action"]["action_type"]
    demands = policy.demands(action_type)
    ruled = ruling(policy, action_type, asked["action"].get("action")).decided
    if ruled is not None and ruled.then == "deny":
        return f"the policy {policy.version} denies it ({ruled.name})"
    if by_rule(asked):
        return None if ruled else f"the policy {policy.version} wants a person asked, and a rule decided it"
    if _TIERS.index(demands.tier or "low") > _TIERS.index(asked["tier"]):
        return f"the policy {policy.version} asks for tier {demands.tier}, and it was asked at tier {asked['tier']}"
    strangers = sorted(set(approvers) - who_may(demands)) if demands.approvers else []
    if strangers:
        return f"the policy {policy.version} does not let {', '.join(strangers)} approve it"
    count = needed(demands.need or "any", len(demands.approvers or [1]))
    if count > asked["needed"]:
        return f"the policy {policy.version} needs {count} approvals, and it was asked for {asked['needed']}"
    return None


def by_rule(decided: Mapping[str, Any]) -> bool:
    """Whether a rule of the policy decided it, and nobody was asked."""
    return (decided["answer"] or {}).get("how") == "policy"


def who_may(demands: Demands) -> set[str]:
    """Who may approve, where that is said."""
    return {*(demands.approvers or []), *(step.to for step in demands.escalation or [])}


def limited_to(demands: Demands) -> set[str]:
    """Who alone may approve; empty where anybody may."""
    return who_may(demands) if demands.approvers else set()


def _time_faults(demands: Demands, wish: Wish) -> list[Fault]:
    timeout = demands.timeout_minutes or Timeout()
    minutes, faults = _first(wish.timeout_minutes, timeout.default), []
    if timeout != Timeout() and not timeout.min <= minutes <= timeout.max:
        detail = f"the policy takes {timeout.min} to {timeout.max} minutes for {wish.action_type}"
        faults.append(Fault(detail, "/timeout_minutes"))
    if (wish.remind_minutes_before or 0) >= minutes:  # nobody would be reminded
        detail = f"must be less than the {minutes:g} minutes in which it may be answered"
        faults.append(Fault(detail, "/remind_minutes_before"))
    return faults


def _whom_faults(demands: Demands, wish: Wish) -> list[Fault]:
    """Who is asked, is of those who may approve, and enough of them are asked."""
    faults, allowed = [], who_may(demands)
    if demands.approvers and wish.recipient_named:
        detail = "the policy says who may approve this: leave it out, or name some of them in `approvers`"
        faults.append(Fault(detail, "/recipient"))
    if demands.approvers:
        named = [("/approvers", each) for each in wish.approvers or ()]
        named += [("/escalation", step.to) for step in wish.escalation or ()]
        faults += [
            Fault(f"the policy does not let {name} approve {wish.action_type}", at)
            for at, name in named
            if name not in allowed
        ]
    asked = len(wish.approvers if wish.approvers is not None else demands.approvers or [1])
    floor = needed(demands.need or "any", len(demands.approvers or [1]))
    count = max(floor, needed(_stricter(demands, wish), asked))
    if count > asked:
        at = "/approvers" if wish.approvers is not None else "/need"
        faults.append(Fault(f"{count} approvals are needed, and {asked} asked", at))
    return faults


def _stricter(demands: Demands, wish: Wish) -> Need:
    """The need of the policy or the wish, whichever asks for more yeses."""
    policys, wished = demands.need or "any", wish.need or "any"
    if "all" in (policys, wished):
        return "all"
    numbers = [each for each in (policys, wished) if isinstance(each, int)]
    return max(numbers) if numbers else "any"


def _fits(wanted: Any, given: Any) -> bool:
    """Whether a value is the one wanted, one of a list, or within bounds; a nested table looks inside."""
    if isinstance(wanted, Mapping):
        if set(wanted) <= _OPERATORS:
            return all(_holds(name, bound, given) for name, bound in wanted.items())
        return matches(wanted, given)
    if isinstance(wanted, list):
        return any(_fits(each, given) for each in wanted)
    return isinstance(given, bool) == isinstance(wanted, bool) and bool(given == wanted)


def _holds(operator: str, bound: Any, given: Any) -> bool:
    if operator == "one_of":
        return _fits(list(bound), given)
    if operator == "not":
        return not _fits(bound, given)
    number = isinstance(given, (int, float)) and not isinstance(given, bool)
    return number and _MATCHES[operator](given, bound)


def _check_match(match: Mapping[str, Any]) -> None:
    """Raise ValueError for a condition that could not be understood, rather than never match."""
    for name, wanted in match.items():
        if not isinstance(wanted, Mapping):
            continue
        used = set(wanted) & _OPERATORS
        if used and used != set(wanted):
            raise ValueError(f"match.{name} mixes {', '.join(sorted(used))} with names of fields")
        for operator in used:
            bound = wanted[operator]
            if operator in _MATCHES and (isinstance(bound, bool) or not isinstance(bound, (int, float))):
                raise ValueError(f"match.{name}.{operator} must be a number")
            if operator == "one_of" and not isinstance(bound, list):
                raise ValueError(f"match.{name}.one_of must be a list")
        if not used:
            _check_match(wanted)


def _first(given: Any, otherwise: Any) -> Any:
    return otherwise if given is None else given
