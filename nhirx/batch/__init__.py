"""Batches: a pile of scanned pages in, results and a short list for a person out.

``source`` finds the files and writes them down as a plan, ``pool`` reads their pages in processes that may crash or hang,
``journal`` keeps every finished page so that a killed batch goes on where it was, ``results`` and ``report`` write what came
out. ``run.run`` is the whole of it; ``nhirx batch`` only calls it.
"""
