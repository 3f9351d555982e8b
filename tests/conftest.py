import signal

import torch

# more threads than one are slower for toys, and a result's bits depend on their number
torch.set_num_threads(1)

# a shell's background job ignores interrupts, as do its children: some tests send them
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
