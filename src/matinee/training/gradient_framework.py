"""Training of networks by JAX, the extra ``accelerated``. Fitted models answer without it."""

from collections.abc import Callable
from functools import cache

from matinee.kernels.devices import DeviceArray, training_device

RATES = 0.9, 0.999  # by which Adam forgets gradients and their squares
LEAST = 1e-8  # added to the root of the squares

Parameters = dict[str, DeviceArray]  # arrays by name
State = tuple[Parameters, ...]  # the parameters, and means of gradients and of their squares
Loss = Callable[..., DeviceArray]  # of parameters, a batch and a random key: a number


class Adam:
    """Steps of Adam (Kingma & Ba 2015) on the parameters of a network, a compiled call each."""

    def __init__(self, loss: Loss, parameters: Parameters, seed: int, rate: float) -> None:
        import jax

        start = jax.tree.map(jax.numpy.array, parameters)
        zeros = (jax.tree.map(jax.numpy.zeros_like, start) for _ in range(2))
        # Donated to each step, so each is an array of its own.
        self.state: State = jax.device_put((start, *zeros), training_device())
        self.key, self.rate, self.steps, self._step = jax.random.key(seed), rate, 0, _step_of(loss)

    @property
    def parameters(self) -> Parameters:
        """The parameters as they are after the last step."""
        parameters: Parameters = self.state[0]
        return parameters

    def step(self, *batch: object) -> float:
        """Follow the gradient of the loss of a batch; its value before the step."""
        self.steps += 1
        self.state, value = self._step(self.state, self.key, self.steps, self.rate, *batch)
        return float(value)


@cache
def _step_of(loss: Loss) -> Callable[..., tuple[State, DeviceArray]]:
    """The compiled step for a loss, which is a function at the top of a module."""
    import jax

    first, second = RATES

    def step(
        state: State, key: DeviceArray, number: int, rate: float, *batch: DeviceArray
    ) -> tuple[State, DeviceArray]:
        parameters, mean, square = state
        value, gradient = jax.value_and_grad(loss)(
            parameters, jax.random.fold_in(key, number), *batch
        )
        mean = jax.tree.map(lambda m, g: first * m + (1 - first) * g, mean, gradient)
        square = jax.tree.map(lambda s, g: second * s + (1 - second) * g * g, square, gradient)
        size = rate * (1 - second**number) ** 0.5 / (1 - first**number)
        parameters = jax.tree.map(
            lambda p, m, s: p - size * m / (s**0.5 + LEAST), parameters, mean, square
        )
        return (parameters, mean, square), value

    return jax.jit(step, donate_argnums=0)
