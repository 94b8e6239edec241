"""What a night is worth that is killed: kill -9 at every asset boundary and inside write and publish, judged after.

Measures, never asserts. The nights are the command line's own, in processes of their own; nothing of the product
knows that it is watched.
"""
