# What every door sets: all that a run writes lies under var/, and nothing phones home.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONPYCACHEPREFIX := $(CURDIR)/var/cache/pycache
export TMPDIR := $(CURDIR)/var/tmp
export XDG_CACHE_HOME := $(CURDIR)/var/cache
export KERAS_HOME := $(CURDIR)/var/cache/keras
export MPLCONFIGDIR := $(CURDIR)/var/cache/matplotlib
export DASK_TEMPORARY_DIRECTORY := $(CURDIR)/var/tmp/dask
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/var/cache/hypothesis
export GX_ANALYTICS_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL := 2
unexport PYTHONDONTWRITEBYTECODE
