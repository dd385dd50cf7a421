"""One thread a worker: the tensors of the tests are small, and workers share the cores."""

import torch

torch.set_num_threads(1)
