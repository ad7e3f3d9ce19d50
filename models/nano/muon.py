"""Muon: momentum whose step is made orthogonal, which learns from fewer tokens than Adam."""
import torch


def orthogonal(x):
    """Newton and Schulz's iteration: all singular values near 1.   x: (matrices, rows <= columns, columns)"""
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)).bfloat16()
    for _ in range(5):
        s = x @ x.mT
        x = 3.4445 * x + (-4.7750 * s + 2.0315 * s @ s) @ x
    return x


def as_matrices(u):
    """Stacked matrices are orthogonalised one by one: an expert's gate and up, the three parts of a conv's input."""
    if u.shape == (768, 256):
        return u.reshape(-1, 256, 256)
    if u.dim() == 3 and u.shape[1] < u.shape[2]:
        return u.reshape(-1, u.shape[1] // 2, u.shape[2])
    return u.reshape(-1, *u.shape[-2:])


class Muon:
    def __init__(self, params):
        self.params, self.momentum = params, [torch.zeros_like(p) for p in params]

    @torch.no_grad()
    def step(self, lr, decay):
        groups = {}  # those of the same shape go together
        for p, m in zip(self.params, self.momentum):
            m.lerp_(p.grad, 0.05)
            u = as_matrices(p.grad.lerp(m, 0.95))
            tall = u.shape[1] > u.shape[2]
            groups.setdefault(tuple(sorted(u.shape[1:])), []).append((p, u.mT if tall else u, tall))
        for group in groups.values():
            steps = orthogonal(torch.cat([u for _, u, _ in group])).split([len(u) for _, u, _ in group])
            for (p, _, tall), d in zip(group, steps):
                d = d.mT if tall else d
                scale = max(1, d.shape[1] / d.shape[2]) ** 0.5
                p.mul_(1 - lr * decay).add_(d.reshape(p.shape), alpha=-lr * scale)
