"""PushT, headless: an agent pushes a T-shaped block onto its goal.

A state is [agent x, agent y, block x, block y, block angle], positions in 0…512, the angle in 0…2π; an action is the
position that the agent is to go to.
"""

import os
import warnings
from collections.abc import Callable

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of pygame's own imports
    import gym_pusht.envs

import numpy as np

OBSERVATIONS = 2  # the latest states that the policy sees
EXECUTED = 8  # the planned actions that are executed; the first is for the time of the last observation
LONGEST = 300  # steps of an episode


def initial_state(seed: int) -> np.ndarray:
    """A state drawn as the environment draws its own."""
    random = np.random.default_rng(seed)
    return np.array([*random.integers(50, 450, 2), *random.integers(100, 400, 2), random.uniform(-np.pi, np.pi)])


class Episode:
    """One episode, from an initial state that its seed names, to full coverage or `LONGEST` steps."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.environment = gym_pusht.envs.PushTEnv(obs_type="state", render_mode="rgb_array")
        self.observations = [self.reset(initial_state(seed))] * OBSERVATIONS
        self.reward = 0.0  # the largest so far: the covered part of the goal over 0.95, at most 1
        self.steps = 0
        self.plans = 0
        self.is_over = False

    def reset(self, state: np.ndarray) -> np.ndarray:
        """Puts the environment into a state and returns what it shows of it.

        `reset_to_state` would not: it sets the block's angle after its position, and as the angle turns the block about
        its centre of gravity, which is not its origin, the block moves away from where it was put.
        """
        environment = self.environment
        environment.reset(seed=self.seed)
        environment._setup()  # the state drawn by `reset` leaves no trace
        environment.agent.position = tuple(state[:2])
        environment.block.angle = state[4]
        environment.block.position = tuple(state[2:4])
        environment.space.step(environment.dt)
        return environment.get_obs()

    @property
    def observation(self) -> list[list[float]]:
        """What the policy sees [2, 5], the latest last."""
        return [state.tolist() for state in self.observations]

    @property
    def plan_seed(self) -> int:
        """The seed of the next plan, one of its own for every plan of every episode."""
        return self.seed * 1000 + self.plans

    def execute(self, actions: list[list[float]], seen: Callable[[np.ndarray], None] | None = None) -> None:
        """Executes a plan as far as it is to be; `seen` gets a picture [680, 680, 3] of every other step."""
        self.plans += 1
        for action in actions[OBSERVATIONS - 1:OBSERVATIONS - 1 + EXECUTED]:
            if seen and self.steps % 2 == 0:
                seen(self.environment.render())
            state, reward, is_covered, _, _ = self.environment.step(np.asarray(action))
            self.observations = [*self.observations[1:], state]
            self.reward = max(self.reward, float(reward))
            self.steps += 1
            self.is_over = bool(is_covered) or self.steps >= LONGEST
            if self.is_over:
                return
