import torch

# more threads than one are slower for toys, and a result's bits depend on their number
torch.set_num_threads(1)
