"""Where everything lies: paths, locks, atomic writes, publishing, settings. Knows no importer and no rule.

opening.py  which store    store.py  its folders    corpus.py  a published version    versions.py, writing.py  publishing
"""
