"""The queue in front of ingestion, the limits of senders, and who is cut off."""

import random
from collections import Counter
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lineset.gateways import Allowed, ByToken, Floods, Refused, Shown
from lineset.kit.ids import new_id
from lineset.telemetry import Message
from lineset.telemetry.fair import BATCH_BYTES, BATCH_MESSAGES, LANE_BATCH_BYTES, LANE_BYTES, FairQueue, Offer
from lineset.telemetry.throttle import Throttle
from lineset.telemetry.waste import FLOOD_BYTES, SHUT_S, Waste


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def sent(gateway: UUID, size: int = 1000, number: int = 0) -> Message:
    return Message(gateway, str(number), bytes(size))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 60_000)), max_size=400), st.randoms(use_true_random=False))
def test_what_the_queue_takes_comes_out_once_and_in_each_gateways_order(offers: list[tuple[int, int]], chance: random.Random) -> None:
    gateways = [new_id() for _ in range(6)]
    queue, taken, came = FairQueue(2_000_000), [], []
    for number, (who, size) in enumerate(offers):
        if queue.offer(sent(gateways[who], size, number)) is Offer.TAKEN:
            taken.append((gateways[who], number))
        assert queue.size <= 2_000_000
        if chance.random() < 0.05:
            came += [(m.gateway, int(m.subject)) for m in queue.take()]
    while queue:
        came += [(m.gateway, int(m.subject)) for m in queue.take()]
    assert queue.size == 0
    for gateway in gateways:
        assert [n for g, n in came if g == gateway] == [n for g, n in taken if g == gateway]


def test_a_gateway_that_fills_its_lane_leaves_room_for_a_thousand_others() -> None:
    queue, greedy = FairQueue(), new_id()
    while queue.offer(sent(greedy, 60_000)) is Offer.TAKEN:
        pass
    assert queue.size <= LANE_BYTES
    assert all(queue.offer(sent(new_id(), 1_000)) is Offer.TAKEN for _ in range(1000))


def test_many_greedy_gateways_together_still_leave_room_for_a_quiet_one() -> None:
    queue, greedy = FairQueue(), [new_id() for _ in range(200)]
    for _ in range(500):
        for gateway in greedy:
            queue.offer(sent(gateway, 60_000))
    assert queue.offer(sent(greedy[0], 60_000)) is Offer.LANE_FULL
    assert queue.offer(sent(new_id(), 60_000)) is Offer.TAKEN


def test_a_quiet_gateway_is_in_the_next_batch_whoever_came_before() -> None:
    queue, greedy, quiet = FairQueue(), new_id(), new_id()
    while queue.offer(sent(greedy, 3_000)) is Offer.TAKEN:
        pass
    queue.offer(sent(quiet))
    batch = queue.take()
    assert [m for m in batch if m.gateway == quiet]
    assert sum(len(m.payload) for m in batch if m.gateway == greedy) <= LANE_BATCH_BYTES + 16_384


def test_two_gateways_with_messages_of_different_size_get_the_same_share_of_a_batch() -> None:
    queue, large, small = FairQueue(), new_id(), new_id()
    for _ in range(2_000):
        queue.offer(sent(large, 30_000))
        queue.offer(sent(small, 1_500))
    batch = queue.take()
    assert len(batch) <= BATCH_MESSAGES
    assert sum(len(m.payload) for m in batch) <= BATCH_BYTES
    share: Counter[UUID] = Counter()
    for m in batch:
        share[m.gateway] += len(m.payload) + 512
    assert 0.9 < share[large] / share[small] < 1.1


def test_what_waits_of_a_flood_is_dropped_but_not_what_somebody_waits_for() -> None:
    async def settled() -> None:
        """Somebody waits."""

    queue, flood, other = FairQueue(), new_id(), new_id()
    for gateway in (flood, other):
        queue.offer(sent(gateway, number=1))
    queue.offer(Message(flood, "2", b"x", settled=settled))
    assert queue.drop(flood) == 1
    assert sorted((m.gateway, m.subject) for m in queue.take()) == sorted([(other, "1"), (flood, "2")])
    assert queue.size == 0


def test_a_batch_that_is_tried_again_costs_its_senders_once() -> None:
    throttle, gateway, household = Throttle(Clock()), new_id(), new_id()
    for _ in range(50):
        assert throttle.spending().quota(gateway, household).take(Throttle.BURST) is None  # a try that failed: nothing is settled
    spending = throttle.spending()
    assert spending.quota(gateway, household).take(Throttle.BURST) is None
    spending.settle()
    assert throttle.spending().quota(gateway, household).exhausted() == "gateway"


def test_a_household_has_a_limit_of_its_own_for_all_its_gateways() -> None:
    clock = Clock()
    throttle, household, neighbour = Throttle(clock), new_id(), new_id()
    spending = throttle.spending()
    taken = 0
    while spending.quota(gateway := new_id(), household).take(1000) is None:
        taken += 1000
    spending.settle()
    assert taken == Throttle.HOUSEHOLD_BURST
    assert throttle.spending().quota(gateway, household).exhausted() == "household"
    assert throttle.spending().quota(new_id(), neighbour).exhausted() is None
    clock.now += 1.0
    again = throttle.spending().quota(gateway, household)
    assert again.forbids(Throttle.HOUSEHOLD_PER_SECOND + 1) == "household"
    assert again.take(Throttle.PER_SECOND) is None
    assert "all gateways of a household" in throttle.refusal("household").sentence("en")
    assert "todas las pasarelas" in throttle.refusal("household").sentence("es")


def test_repeating_what_is_not_acknowledged_is_no_flood_but_a_thousand_messages_at_once_are() -> None:
    clock = Clock()
    waste, honest, hostile = Waste(clock), new_id(), new_id()
    for _ in range(600):  # twenty minutes of an outage: the window again every two seconds
        clock.now += 2.0
        assert not any(waste.add(honest, 2_000) for _ in range(64))
    count = 1
    while not waste.add(hostile, 0):
        count += 1
    assert count == FLOOD_BYTES // 16_384
    assert waste.shut(hostile)
    assert not waste.shut(honest)
    clock.now += SHUT_S
    assert not waste.shut(hostile)


@pytest.mark.anyio
async def test_who_flooded_waits_longer_each_time() -> None:
    class Anybody:
        """Lets everybody in."""

        async def identify(self, shown: Shown) -> Allowed | Refused:
            assert isinstance(shown, ByToken)
            return Allowed(UUID(shown.gateway))

        def forget(self, gateway: UUID) -> None:
            """Nothing is remembered."""

        def forget_all(self) -> None:
            """Nothing is remembered."""

    clock, gateway = Clock(), new_id()
    floods = Floods(Anybody(), clock)
    shown = ByToken(str(gateway), "token")
    for expected in (60.0, 120.0, 240.0, 480.0, 900.0, 900.0):
        assert isinstance(await floods.identify(shown), Allowed)
        assert floods.shut_out(gateway) == expected
        assert floods.shut_out(gateway) == expected, "the same flood, noticed twice"
        assert isinstance(await floods.identify(shown), Refused)
        clock.now += expected
    assert isinstance(await floods.identify(ByToken(str(new_id()), "token")), Allowed)
