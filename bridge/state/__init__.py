"""Immutable values exchanged between edge, planners, core and store: records, commands and plans.

Pure: no clock, SQL, threads or HTTP. Reading and writing rows belongs to ``bridge.store``,
decisions to ``bridge.planners``. Read ``records`` and ``commands`` first; then ``snapshot``, a
planner's input, and ``plan``, its result.
"""
