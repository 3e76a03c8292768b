"""How well overfitting is told from curves: after the fact, live, beside peers.

    python benchmarks/overfitting.py [made curves] [seed] [cache of real fits.npz]

Peers are judged in the same run where they are installed: runmedic, trainspotter and
finetune-doctor; beside them two naive rules, `EarlyStopping(patience=10)` and "ends 5 %
above its lowest". OverfitGuard (arXiv 2401.10359) is a reference line: its scores on 40
published curves as its authors give them, which were not measured here.

Made curves are those of `overfitting_curves.py`, twice: all kinds, and only those of
the usual shape and noise; and those of `overfitting_published.py`, shaped as figures of
papers, by family. There, ours is also given the learning rate ("with rates"). Real ones
are those of `overfitting_fits.py`, where a second hold-out set says what is true.

`oracle` is a bound, not a detector (Neyman & Pearson 1933): it knows the curve
without noise, so when and in which shape it rises and how large the noise is, and has
only to say whether the rise is there. No test with as few false alarms needs fewer
epochs. Prints a table and writes JSON to benchmarks/results/.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
from overfitting_curves import Curve, make_curve, make_usual_curve
from overfitting_published import FAMILIES, make_published_curve

import keras_dlbasic as kd

FEWEST = 4

OVERFIT_GUARD = {"F1": 0.945}
"""The best on 40 published curves, by its authors."""


def ours(loss, val_loss, rate=None):
    """Return whether overfitting is found, and its onset."""
    verdict = kd.analysis.detect_overfitting(loss, val_loss, learning_rate=rate)
    return verdict.detected, verdict.onset


def runmedic(loss, val_loss):
    """Ask runmedic."""
    model, checks, roles = (
        import_module(f"runmedic.{name}") for name in ("model", "checks", "roles")
    )
    run = model.Run("run", "made", "")
    for step, (train, val) in enumerate(zip(loss, val_loss, strict=True)):
        run.get("train_loss").add(step, float(train))
        run.get("val_loss").add(step, float(val))
    findings = checks.run_checks(run.finalize(), roles.detect(run))
    found = [finding for finding in findings if finding.check == "overfitting"]
    return bool(found), int(found[0].step) if found else None


def trainspotter(loss, val_loss):
    """Ask trainspotter."""
    model, detectors = (
        import_module(f"trainspotter.{name}") for name in ("model", "detectors")
    )
    run = model.Run()
    for step, (train, val) in enumerate(zip(loss, val_loss, strict=True)):
        run.add_point("train/loss", step, float(train))
        run.add_point("eval/loss", step, float(val))
    run.finalize()
    found = [
        finding
        for finding in detectors.run_all(run)
        if finding.detector == "overfitting" and finding.severity != "info"
    ]
    return bool(found), int(found[0].step_start) if found else None


def finetune_doctor(loss, val_loss):
    """Ask finetune-doctor."""
    doctor = import_module("finetune_doctor")
    history = import_module("finetune_doctor.history")
    log = []
    for step, (train, val) in enumerate(zip(loss, val_loss, strict=True), start=1):
        log.append({"step": step, "epoch": step, "loss": float(train)})
        log.append({"step": step, "epoch": step, "eval_loss": float(val)})
    diagnosis = doctor.diagnose(history.from_trainer_state({"log_history": log}))
    found = [
        finding
        for finding in diagnosis.findings
        if finding.check == "overfitting" and finding.severity != doctor.Severity.INFO
    ]
    return bool(found), found[0].metrics["best_step"] - 1 if found else None


def patience_10(loss, val_loss):
    """Return what `EarlyStopping(patience=10)` would do now."""
    if not np.isfinite(val_loss).all():
        return False, None
    best = int(np.argmin(val_loss))
    return len(val_loss) - 1 - best >= 10, best


def five_percent(loss, val_loss):
    """Return whether a curve ends 5 % above its lowest value."""
    if not np.isfinite(val_loss).all():
        return False, None
    return val_loss[-1] > 1.05 * val_loss.min(), int(np.argmin(val_loss))


def asked(detector, curve, n=None):
    """Ask a detector about the first `n` epochs of a curve."""
    curves = curve.loss[:n], curve.val_loss[:n]
    if detector is with_rates:
        return ours(*curves, None if curve.rate is None else curve.rate[:n])
    return detector(*curves)


def with_rates(loss, val_loss):
    """Stand for our own with the learning rate; see `asked`."""
    raise NotImplementedError


def finished(detector, curves):
    """Score verdicts on whole curves."""
    hits = misses = alarms = quiet = 0
    errors = []
    for curve in curves:
        found, onset = asked(detector, curve)
        hits += found and curve.overfits
        misses += curve.overfits and not found
        alarms += found and not curve.overfits
        quiet += not found and not curve.overfits
        if found and curve.overfits:
            errors.append(abs(onset - curve.onset))
    return {
        "recall": hits / max(hits + misses, 1),
        "flagged": alarms / max(alarms + quiet, 1),
        "precision": hits / max(hits + alarms, 1),
        "onset_error": float(np.median(errors)) if errors else float("nan"),
    }


def live(detector, curves):
    """Score the first alarm, epoch by epoch."""
    alarms, delays, early = [], [], []
    for curve in curves:
        first = next(
            (
                n - 1
                for n in range(FEWEST, len(curve.loss) + 1)
                if asked(detector, curve, n)[0]
            ),
            None,
        )
        if not curve.overfits:
            alarms.append(first is not None)
            continue
        delays.append(np.inf if first is None else first - curve.onset)
        early.append(first is not None and first < curve.onset)
    return {
        "live_alarms": float(np.mean(alarms)),
        "delay": float(np.median(delays)),
        "early": float(np.mean(early)),
    }


def oracle(curves, rng, paths=400):
    """Score the best test there is for a rise of known onset, shape and noise.

    The matched filter (Neyman & Pearson 1933), noise taken as independent; 2 % of the
    same curves without the rise are flagged in the end, 5 % at any epoch on the way.
    """
    found, delays = [], []
    for curve in curves:
        after = slice(curve.onset + 1, None)
        rise = ((curve.truth - curve.truth[curve.onset]) / curve.deviation)[after]
        seen = (curve.val_loss - curve.truth[curve.onset]) / curve.deviation
        noise = rng.standard_normal((paths, len(rise)))
        size = np.sqrt(np.cumsum(rise**2))
        chance = np.cumsum(noise * rise, axis=1) / size
        score = np.cumsum(seen[after] * rise) / size
        found.append(score[-1] > np.quantile(chance[:, -1], 0.98))
        late = np.flatnonzero(score > np.quantile(chance.max(axis=1), 0.95))
        delays.append(late[0] + 1 if len(late) else np.inf)
    return {"recall": float(np.mean(found)), "delay": float(np.median(delays))}


def scan(curves, rng, paths=200):
    """Score the best known test for a step or a slope that may begin anywhere.

    The generalized likelihood ratio with the noise and the curve before the rise
    known: 5 % of the same curves without the rise are flagged at any epoch on the way.
    """
    delays = []
    for curve in curves:
        before = np.where(
            np.arange(len(curve.truth)) > curve.onset,
            curve.truth[curve.onset],
            curve.truth,
        )
        seen = (curve.val_loss - before) / curve.deviation
        chance = _scanned(rng.standard_normal((paths, len(seen)))).max(axis=1)
        late = np.flatnonzero(_scanned(seen[None])[0] > np.quantile(chance, 0.95))
        late = late[late > curve.onset]
        delays.append(late[0] - curve.onset if len(late) else np.inf)
    return {"delay": float(np.median(delays))}


def _scanned(noise):
    """Return the largest step or slope at the end, after each epoch, `[paths, n]`."""
    n = noise.shape[1]
    t = np.arange(1, n + 1)
    sums, weighted = (
        np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0)))
        for values in (noise, noise * t)
    )
    best = np.full(noise.shape, -np.inf)
    for start in range(n):
        after = np.arange(1, n - start + 1)
        step = sums[:, start + 1 :] - sums[:, start, None]
        slope = weighted[:, start + 1 :] - weighted[:, start, None] - start * step
        here = best[:, start:]
        np.maximum(here, step / np.sqrt(after), out=here)
        norms = np.sqrt(after * (after + 1) * (2 * after + 1) / 6)
        np.maximum(here, slope / norms, out=here)
    return best


def real_curves(path):
    """Return the real fits of which both hold-out sets agree whether they overfit."""
    from numpy.lib.stride_tricks import sliding_window_view

    curves = []
    with np.load(path) as file:
        for name in sorted({key.split("/")[0] for key in file.files}):
            loss, val, test = (
                file[f"{name}/{curve}"] for curve in ("loss", "val_loss", "test_loss")
            )
            smooth = [np.median(sliding_window_view(c, 5), axis=1) for c in (val, test)]
            rises = [c[-1] / c.min() - 1 for c in smooth]
            trained = loss[-3:].mean() < loss[:3].mean()
            if min(rises) > 0.05 and trained:
                onset = int(np.argmin(smooth[0])) + 2
                curves.append(Curve("real", loss, val, True, onset, rises[0]))
            elif max(rises) < 0.01:
                curves.append(Curve("real", loss, val, False))
    return curves


def detectors():
    """Return our own and the peers that are here."""
    found = {"keras_dlbasic": ours}
    for detector in (runmedic, trainspotter, finetune_doctor):
        try:
            import_module(detector.__name__)
        except ImportError:
            print(f"{detector.__name__} is not installed: left out")
            continue
        found[detector.__name__] = detector
    naive = {"EarlyStopping(patience=10)": patience_10, "5 % above": five_percent}
    return found | naive


def main(n=300, seed=12345, cache=None):
    """Score all on all."""
    n, seed = int(n), int(seed)
    rng = np.random.default_rng(seed)
    usual = [make_usual_curve(rng) for _ in range(n)]
    sets = {"usual": usual, "all kinds": [make_curve(rng) for _ in range(n)]}
    for family in FAMILIES:
        sets[family.__name__] = [
            make_published_curve(rng, family, bool(k % 2))
            for k in range(max(n // 6, 4))
        ]
    if cache is not None:
        sets["real fits"] = real_curves(cache)
    results = {"n": n, "seed": seed}
    for title, curves in sets.items():
        bad = sum(curve.overfits for curve in curves)
        print(f"\n{title}: {bad} overfit, {len(curves) - bad} do not")
        scores = {
            name: finished(detector, curves) | live(detector, curves[:200])
            for name, detector in detectors().items()
        }
        if any(curve.rate is not None for curve in curves):
            scores["keras_dlbasic, with rates"] = finished(with_rates, curves) | live(
                with_rates, curves[:200]
            )
        known = [curve for curve in curves if curve.truth is not None]
        if known:
            scores["oracle"] = oracle(known, np.random.default_rng(seed))
            scores["scan"] = scan(known[:100], np.random.default_rng(seed))
        for name, score in scores.items():
            results[f"{title}/{name}"] = score
            print(f"  {name:27s}", "  ".join(f"{k} {v:.3g}" for k, v in score.items()))
    results["OverfitGuard, as published"] = OVERFIT_GUARD
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    (folder / "overfitting.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
