"""Inferences: what is concluded about a household. Whoever concludes records it here; its people see its source, contest and erase it.

A contested conclusion is not acted on (`standing`) until it is made anew from other grounds.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from lineset.kit.clock import now
from lineset.kit.errors import Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.privacy.door import Tx
from lineset.privacy.model_inferences import InferenceRow
from lineset.privacy.rights import may

MOST_WORDS = 1_000
MOST_STATEMENT = 500


@dataclass(frozen=True, slots=True)
class Inference:
    """A conclusion. `source`: from which data, in words; `model`: what made it, with its version; `confidence` from 0 to 1.

    `objection`: what its people say against it, since `contested_at`.
    """

    id: UUID
    kind: str
    source: str
    statement: str
    confidence: float
    model: str
    made_at: datetime
    contested_at: datetime | None
    objection: str

    @property
    def standing(self) -> bool:
        """Whether it may be acted on: nobody contests it."""
        return self.contested_at is None


async def record_inference(tx: Tx, household: UUID, *, kind: str, source: str, statement: str, confidence: float, model: str) -> UUID:
    """Write down a conclusion about a household; its id.

    Raises:
        Invalid: no kind, source, statement or model, a text that is too long, or a confidence beyond 0 to 1.
        NotFound: no such household for the asker.
    """
    if not all(text.strip() for text in (kind, source, statement, model)):
        raise Invalid("bad_inference", "An inference says its kind, source, statement and model.")
    if len(statement) > MOST_STATEMENT or max(map(len, (kind, source, model))) > MOST_STATEMENT:
        raise Invalid("bad_inference", f"Each text of an inference has at most {MOST_STATEMENT} characters.")
    if not 0 <= confidence <= 1:
        raise Invalid("bad_confidence", "The confidence goes from 0 to 1.", "confidence")
    if not await may(tx, household, "view"):
        raise NotFound("household")
    values = {"kind": kind, "source": source, "statement": statement, "confidence": confidence, "model": model}
    made = insert(InferenceRow).values(id=new_id(), household_id=household, made_at=now(), **values).returning(InferenceRow.id)
    return (await tx.session.scalars(made)).one()


async def list_inferences(tx: Tx, household: UUID) -> list[Inference]:
    """All conclusions about a household, newest first."""
    rows = await tx.session.scalars(
        select(InferenceRow).where(InferenceRow.household_id == household).order_by(InferenceRow.made_at.desc())
    )
    return [Inference(r.id, r.kind, r.source, r.statement, r.confidence, r.model, r.made_at, r.contested_at, r.objection) for r in rows]


async def contest_inference(tx: Tx, inference: UUID, words: str) -> None:
    """Say that a conclusion is wrong, and why. It stays visible with these words and is not acted on.

    Raises:
        Invalid: no words, or too many.
        NotFound: no such conclusion that the asker may change.
    """
    words = words.strip()
    if not words or len(words) > MOST_WORDS:
        raise Invalid("bad_words", f"Say what is wrong, in at most {MOST_WORDS} characters.", "words")
    said = {"contested_at": now(), "contested_by": tx.context.person, "objection": words}
    done = update(InferenceRow).where(InferenceRow.id == inference).values(**said).returning(InferenceRow.id)
    if (await tx.session.execute(done)).one_or_none() is None:
        raise NotFound("inference")


async def erase_inference(tx: Tx, inference: UUID) -> None:
    """Delete a conclusion. Raises NotFound where there is none that the asker may delete."""
    if (
        await tx.session.execute(delete(InferenceRow).where(InferenceRow.id == inference).returning(InferenceRow.id))
    ).one_or_none() is None:
        raise NotFound("inference")
