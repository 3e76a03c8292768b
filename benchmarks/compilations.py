"""How often a backend compiles, and how long it takes."""

import time
import weakref

import keras


class Compilations:
    """Counts compiled functions from now on: programs of JAX, graphs of TensorFlow.

    PyTorch compiles nothing. TensorFlow goes on to optimize a graph when it is run for
    the first time, so that its first run counts as well (and with it a run as such).

    Attributes:
        count: How many functions were compiled.
        seconds: How long that took.
        cpu_seconds: The same in CPU time.
    """

    def __init__(self):
        self.count, self.seconds, self.cpu_seconds = 0, 0.0, 0.0
        begin = {"jax": self._of_jax, "tensorflow": self._of_tensorflow}
        begin.get(keras.backend.backend(), lambda: None)()

    def _of_jax(self):
        import jax

        begun = []  # parts may be within others

        def begins(event, *_, **__):
            if event.startswith("/jax/core/compile"):
                begun.append((time.perf_counter(), time.process_time()))

        def ends(event, *_, **__):
            # Python's tracing, lowering and XLA; the last one comes once a program
            if not event.startswith("/jax/core/compile") or not begun:
                return
            wall, cpu = begun.pop()
            self.count += "backend_compile" in event
            if not begun:
                self.seconds += time.perf_counter() - wall
                self.cpu_seconds += time.process_time() - cpu

        jax.monitoring.register_scalar_listener(begins)
        jax.monitoring.register_event_duration_secs_listener(ends)

    def _of_tensorflow(self):
        from tensorflow.python.framework import func_graph

        original, depth = func_graph.func_graph_from_py_func, [0]

        def traced(*args, **kwargs):
            depth[0] += 1
            begin, cpu = time.perf_counter(), time.process_time()
            try:
                return original(*args, **kwargs)
            finally:
                depth[0] -= 1
                if not depth[0]:  # not the body of a loop within another function
                    self.count += 1
                    self.seconds += time.perf_counter() - begin
                    self.cpu_seconds += time.process_time() - cpu

        func_graph.func_graph_from_py_func = traced
        self._of_first_runs(depth)

    def _of_first_runs(self, depth):
        """Count the first run of each graph of TensorFlow, outside of others."""
        from tensorflow.python.eager.polymorphic_function import concrete_function

        graphs = concrete_function.ConcreteFunction
        run, have_run = graphs._call_flat, weakref.WeakSet()

        def first(graph, *args, **kwargs):
            if depth[0] or graph in have_run:
                return run(graph, *args, **kwargs)
            have_run.add(graph)
            depth[0] += 1
            begin, cpu = time.perf_counter(), time.process_time()
            try:
                return run(graph, *args, **kwargs)
            finally:
                depth[0] -= 1
                self.seconds += time.perf_counter() - begin
                self.cpu_seconds += time.process_time() - cpu

        graphs._call_flat = first
