"""Making, editing and deleting templates within their limits (cloud-api.md 3.1, 3.2, 3.4)."""

from typing import Any

from sayso.simulator.errors import GraphError
from sayso.simulator.templates.definition import Definition, read_definition, read_edit
from sayso.simulator.templates.life import DAY_S, HOUR_S, Life
from sayso.simulator.templates.refusals import (
    LANGUAGE_BEING_DELETED,
    NAME_TAKEN,
    NOT_EDITABLE,
    NOT_FOUND,
    OVER_THE_COUNT,
    SAMPLE,
    refused,
)
from sayso.simulator.templates.review import judged_category
from sayso.simulator.world.media import upload_of
from sayso.simulator.world.templates import Template
from sayso.simulator.world.world import World

NAMES, NAMES_VERIFIED = 250, 6_000
CREATIONS_AN_HOUR = 100
EDITS_A_DAY, EDITS_IN_30_DAYS = 1, 10
EDITABLE = ("APPROVED", "REJECTED", "PAUSED")
DELETED_AT_ONCE = 100  # ids in one call
SAMPLE_NAME = "hello_world"
UNPAUSE_AFTER_S = 5 * 60


class Management:
    """The management of one world's templates, as its API does it."""

    def __init__(self, world: World, life: Life) -> None:
        self._world = world
        self._life = life

    # --- creating ---------------------------------------------------------------------------------------

    def create(self, waba_id: str, given: dict[str, Any]) -> Template:
        """Make a template and begin its review; raise 100 with the subcode of 3.2, or 80008 beyond 100 an hour."""
        now = self._world.clock.now()
        creations = self._world.accounts.wabas[waba_id].template_creations
        creations[:] = [each for each in creations if each > now - HOUR_S]
        if len(creations) >= CREATIONS_AN_HOUR:
            raise GraphError(80008, f"A WABA can create {CREATIONS_AN_HOUR} templates an hour; wait a while.")
        definition = read_definition(given, self._uploaded)
        self._check_room(waba_id, definition)
        creations.append(now)
        template = self._made(waba_id, definition, now)
        self._world.templates[template.id] = template
        self._life.submit(template)
        return template

    def limit(self, waba_id: str) -> int:
        """Tell how many names a WABA may have: 6,000 once verified, with a number whose name is approved (3.4)."""
        accounts = self._world.accounts
        verified = accounts.portfolios[accounts.wabas[waba_id].portfolio_id].verified
        named = any(each.name_status == "APPROVED" for each in accounts.numbers_of(waba_id))
        return NAMES_VERIFIED if verified and named else NAMES

    def _made(self, waba_id: str, definition: Definition, now: float) -> Template:
        """Compose the template; a category judged otherwise comes back changed, its own lifetime cleared (3.6)."""
        category = judged_category(definition.category, definition.components)
        return Template(
            id=self._world.mint.number_id(),
            name=definition.name,
            language=definition.language,
            category=category,
            components=definition.components,
            waba_id=waba_id,
            status="PENDING",
            parameter_format=definition.parameter_format,
            message_send_ttl_seconds=definition.ttl if category == definition.category else None,
            created_at=now,
            updated_at=now,
            sub_category=definition.sub_category,
            options=definition.options,
        )

    def _check_room(self, waba_id: str, wanted: Definition) -> None:
        """Refuse a name that is taken (2388024), blocked after a deletion (2388023), or one too many (2388019)."""
        there = self._world.templates.named(waba_id, wanted.name)
        going = [each for each in there if each.status == "PENDING_DELETION"]
        same = next((each for each in there if each.language == wanted.language), None)
        if same is not None and same not in going:
            raise refused(
                f"There is already {wanted.language} content for the template {wanted.name}.", NAME_TAKEN
            )
        if same is not None or (going and len(going) == len(there)):
            raise refused(
                f"New {wanted.language} content cannot be added to {wanted.name} while it is being deleted: the name "
                "of a deleted template is free again after 30 days.",
                LANGUAGE_BEING_DELETED,
            )
        limit = self.limit(waba_id)
        if not there and self._world.templates.names(waba_id) >= limit:
            raise refused(f"The WhatsApp Business Account has {limit} templates, its limit.", OVER_THE_COUNT)

    def _uploaded(self, handle: str) -> str | None:
        """Tell the MIME type of what was uploaded under a handle."""
        upload = upload_of(self._world, handle)
        return None if upload is None else upload.mime_type

    # --- editing ----------------------------------------------------------------------------------------

    def edit(self, template: Template, given: dict[str, Any]) -> None:
        """Change a template and have it reviewed again; raise 100, 2388039 for its status (3.4)."""
        if template.status not in EDITABLE:
            raise refused(
                f"Only templates that are {', '.join(EDITABLE)} can be edited; {template.name} is {template.status}.",
                NOT_EDITABLE,
            )
        definition = read_edit(given, template, self._uploaded)
        if template.status == "APPROVED":
            self._check_edit(template, definition)
        now = self._world.clock.now()
        if template.status == "APPROVED":
            template.edits = [*(each for each in template.edits if each > now - 30 * DAY_S), now]
        template.updated_at = now
        anew = definition.components != template.components or definition.category != template.category
        self._take(template, definition, anew=anew)
        if anew:
            self._life.edited(template)
        else:
            self._life.changed(template)

    def _check_edit(self, template: Template, definition: Definition) -> None:
        if definition.category != template.category:
            raise refused("The category of an approved template cannot be edited.")
        now = self._world.clock.now()
        for bound, days in ((EDITS_A_DAY, 1), (EDITS_IN_30_DAYS, 30)):
            if sum(1 for each in template.edits if each > now - days * DAY_S) >= bound:
                raise refused(
                    f"An approved template can be edited {bound} time(s) in {days} day(s); {template.name} was."
                )

    def _take(self, template: Template, definition: Definition, *, anew: bool) -> None:
        """Take what was given; new words may be judged to be of another category than asked for (3.6)."""
        template.components, template.message_send_ttl_seconds = definition.components, definition.ttl
        template.parameter_format, template.options = definition.parameter_format, definition.options
        asked = definition.category
        category = judged_category(asked, definition.components) if anew else asked
        if category not in (asked, template.category):
            self._life.recategorise(template, category)
            return
        template.category = category
        if category != asked:
            template.message_send_ttl_seconds = None

    # --- deleting ---------------------------------------------------------------------------------------

    def delete(
        self, waba_id: str, *, name: str | None, hsm_id: str | None, hsm_ids: list[str] | None
    ) -> None:
        """Delete all languages of a name, one by id and name, or up to 100 by ids, all or nothing (3.1)."""
        found = self._named(waba_id, name, hsm_id) if hsm_ids is None else self._by_ids(waba_id, hsm_ids)
        if hsm_ids is not None and (name is not None or hsm_id is not None):
            raise refused("hsm_ids cannot be given together with name or hsm_id.")
        for template in found:
            _check_deletable(template)
        for template in found:
            self._life.delete(template)

    def _named(self, waba_id: str, name: str | None, hsm_id: str | None) -> list[Template]:
        if not name:
            raise refused("name is required.")
        there = [
            each for each in self._world.templates.named(waba_id, name) if each.status != "PENDING_DELETION"
        ]
        found = [each for each in there if hsm_id in (None, each.id)]
        if not found:
            raise refused(
                f"There is no template {name}{f' with the id {hsm_id}' if hsm_id else ''}.", NOT_FOUND
            )
        return found

    def _by_ids(self, waba_id: str, ids: list[str]) -> list[Template]:
        if not 1 <= len(ids) <= DELETED_AT_ONCE:
            raise refused(f"hsm_ids must hold 1 to {DELETED_AT_ONCE} ids; it has {len(ids)}.")
        return [self.of_waba(waba_id, each) for each in dict.fromkeys(ids)]

    def of_waba(self, waba_id: str, template_id: str) -> Template:
        """Return a template of this WABA by id; raise 100 when there is none."""
        found = self._world.templates.get(template_id)
        if found is None or found.waba_id != waba_id or found.status == "PENDING_DELETION":
            raise refused(f"There is no template with the id {template_id}.", NOT_FOUND)
        return found

    # --- unpausing, archiving ---------------------------------------------------------------------------

    def unpause(self, template: Template) -> str | None:
        """Unpause a template that pacing paused, after five minutes; return why not, if not (3.1)."""
        if template.status != "PAUSED":
            return f"The template is {template.status}, not paused."
        if template.paused_by != "pacing":
            return "The template was paused for its quality and unpauses by itself."
        if self._world.clock.now() < (template.paused_at or 0.0) + UNPAUSE_AFTER_S:
            return "A template can be unpaused 5 minutes after it was paused."
        self._life.unpause(template)
        return None

    def archive(self, waba_id: str, template_id: str, *, away: bool) -> str | None:
        """Archive a template, or bring it back; return why not, if not (3.1, 3.4)."""
        template = self._world.templates.get(template_id)
        if template is None or template.waba_id != waba_id:
            return "The template does not exist."
        if away and template.status not in EDITABLE:
            return f"A template that is {template.status} cannot be archived."
        if not away and template.status != "ARCHIVED":
            return f"The template is {template.status}, not archived."
        (self._life.archive if away else self._life.unarchive)(template)
        return None


def _check_deletable(template: Template) -> None:
    if template.status == "DISABLED":
        raise refused(f"The template {template.name} is disabled and cannot be deleted.")
    if template.name == SAMPLE_NAME:
        raise refused("The sample template cannot be deleted.", SAMPLE)
