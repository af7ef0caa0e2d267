"""Two who have a right take it from each other, while the service that decides may die."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import requests

from services.contracts.roles import ADMINISTRATOR
from services.members.accounts.domain import LEAVING_LASTS, roles
from tests.faults.trial import Trial, experiment
from tests.rig.processes import Member

AGAIN_WITHIN = LEAVING_LASTS.total_seconds() + 15.0  # seconds, after a death in the middle


@experiment(34, "the last administrator")
def last_administrator(trial: Trial) -> None:
    world, found, deaths = trial.world, Counter[str](), 0
    rounds, deadly = trial.size("rounds", 6, 40), trial.size("deadly_every", 3, 4)
    _dismiss_others(trial)
    for number in range(rounds):
        one, other = world.sign_in(anew=True)
        with ThreadPoolExecutor(3) as pool:
            racing = [pool.submit(_dismiss, *pair) for pair in ((one, other), (other, one))]
            if number % deadly == deadly - 1:
                time.sleep(trial.dice.uniform(0, 0.03))
                world.processes.kill("members")
                deaths += 1
            answers = sorted(each.result() for each in racing)
        found[str(answers)] += 1
        left = _administrators(trial)
        trial.expect(left, f"round {number}: no administrator is left, after {answers}")
        if not left:
            return
        trial.until(partial(_restored, trial, left), AGAIN_WITHIN, "both administer again")
    trial.sizes |= {"answers": dict(found), "killed": deaths}
    world.sign_in(anew=True)
    trial.settle()


def _dismiss_others(trial: Trial) -> None:
    """Take the role from all administrators but our two. With a third, neither of them would be the last."""
    ours = {each.profile["email"] for each in trial.world.administrators}
    for account in trial.world.database("members").accounts.find():
        if ADMINISTRATOR in roles(account) and account["email"] not in ours:
            path = f"/v1/members/{account['_id']}/roles"
            trial.world.platform.administrator.ask("PUT", path, json={"roles": ["coworker"]})


def _dismiss(by: Member, whom: Member) -> int:
    """Take the role of a member; return the status of the answer, or 0 if none came."""
    token = {"Authorization": f"Bearer {by.tokens['access_token']}"}
    try:
        path = f"{by.url}/v1/members/{whom.id}/roles"
        return requests.put(path, json={"roles": ["coworker"]}, headers=token, timeout=10).status_code
    except requests.ConnectionError:
        return 0


def _administrators(trial: Trial) -> list[str]:
    accounts = trial.world.database("members").accounts.find()
    return [each["email"] for each in accounts if ADMINISTRATOR in roles(each)]


def _restored(trial: Trial, left: list[str]) -> bool:
    """The administrator who is left gives the role back; true when all have it again."""
    survivor = trial.world.platform.sign_in(left[0])
    token = {"Authorization": f"Bearer {survivor.tokens['access_token']}"}
    for each in trial.world.administrators:
        path = f"{survivor.url}/v1/members/{each.id}/roles"
        requests.put(path, json={"roles": [ADMINISTRATOR]}, headers=token, timeout=10).raise_for_status()
    return len(_administrators(trial)) == len(trial.world.administrators)
