"""The few closed forms that runs are planned and controlled by. Time is in mean service times."""

from math import exp, expm1, factorial, sqrt


def pollaczek_khinchine(load: float, mean_square: float) -> float:
    """Return the mean wait of M/G/1 with first come, first served: load E[S^2]/(2(1 - load)), for E[S] = 1.

    Kleinrock, Queueing Systems, vol. 1, 1975, section 5.6.
    """
    return load * mean_square / (2 * (1 - load))


def erlang_c(workers: int, load: float) -> float:
    """Return the probability of having to wait in M/M/c (Erlang 1917)."""
    offered = workers * load
    terms = [offered**number / factorial(number) for number in range(workers)]
    last = offered**workers / factorial(workers) / (1 - load)
    return last / (sum(terms) + last)


def multi_server_wait(workers: int, load: float) -> float:
    """Return the mean wait of M/M/c: C/(c - a)."""
    return erlang_c(workers, load) / (workers * (1 - load))


def embedded_root(load: float, stages: int | None) -> float:
    """Return sigma, the probability of having to wait in E_n/M/1, or in D/M/1 where `stages` is None.

    The root below 1 of sigma = A*(1 - sigma), with A* the transform of the time between arrivals (Kleinrock, vol. 1,
    chapter 6). Each server of a round robin over n is E_n/M/1.
    """
    sigma = load
    for _ in range(10_000):
        if stages is None:
            following = exp(-(1 - sigma) / load)
        else:
            following = (stages * load / (stages * load + 1 - sigma)) ** stages
        if abs(following - sigma) < 1e-14:
            break
        sigma = following
    return sigma


def decay_rate_of_constant_service(load: float) -> float:
    """Return the rate at which the tail of the waits of M/D/1 falls: the root above 0 of load (exp(x) - 1) = x.

    Asmussen, Applied Probability and Queues, 2nd ed. 2003, chapter XIII (Cramér and Lundberg).
    """
    rate = 2 * (1 - load) / load
    for _ in range(100):
        # Newton's method; the function is convex, and the first rate is above its root.
        rate -= (load * expm1(rate) - rate) / (load * exp(rate) - 1)
    return rate


def relaxation_time(load: float) -> float:
    """Return how long M/M/1 takes to forget its start: 1/(1 - sqrt(load))^2.

    Whitt, Planning queueing simulations, Management Science 35(11), 1989.
    """
    return 1.0 / (1.0 - sqrt(load)) ** 2
