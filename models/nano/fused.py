"""The element-wise parts of the training step (fused.cpp) as functions that PyTorch can differentiate.

Products are bfloat16, sums float32.  Rows are tokens."""
import ctypes
import subprocess
import tempfile
from pathlib import Path

import torch
from torch.autograd import Function


def build():
    """fused.cpp as a library."""
    lib = Path(tempfile.mkdtemp()) / "fused.so"
    source = Path(__file__).parent / "fused.cpp"
    subprocess.run(["g++", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", source, "-o", lib], check=True)
    return ctypes.CDLL(str(lib))


LIB = build()


def call(name, *args):
    """Tensors and None become pointers, all else 64-bit integers."""
    def passed(x):
        if x is None or torch.is_tensor(x):
            return ctypes.c_void_p(None if x is None else x.data_ptr())
        return ctypes.c_int64(x)

    getattr(LIB, name)(*map(passed, args))


class Weight(Function):
    """A matrix as bfloat16, or as llama-quantize's Q4_0 stores it; the gradient passes straight through."""

    @staticmethod
    def forward(ctx, w, q4):
        if not q4:
            return w.bfloat16()
        y = torch.empty_like(w, dtype=torch.bfloat16)
        call("round_q4", w, y, w.numel())
        return y

    @staticmethod
    def backward(ctx, g):
        return g.float(), None


class AddNorm(Function):
    """x + y, and its RMS norm; y may be None."""

    @staticmethod
    def forward(ctx, x, y, w):
        ctx.set_materialize_grads(False)
        s, n = torch.empty_like(x), torch.empty_like(x, dtype=torch.bfloat16)
        call("add_norm_forward", x, y, w, s, n, *x.shape)
        ctx.save_for_backward(s, w)
        return s, n

    @staticmethod
    def backward(ctx, gs, g):
        s, w = ctx.saved_tensors
        gx, gy, gw = torch.empty_like(s), torch.empty_like(g), torch.zeros_like(w)
        call("add_norm_backward", s, w, gs, g.contiguous(), gx, gy, gw, *s.shape)
        return gx, gy if ctx.needs_input_grad[1] else None, gw


class Rope(Function):
    """RMS norm of every head, then the rotation."""

    @staticmethod
    def forward(ctx, x, w, cos, sin):
        ctx.save_for_backward(x, w, cos, sin)
        y = torch.empty_like(x, dtype=torch.float32)
        call("rope_forward", x, w, cos, sin, y, *x.shape)
        return y

    @staticmethod
    def backward(ctx, g):
        x, w, cos, sin = ctx.saved_tensors
        gx, gw = torch.empty_like(x), torch.zeros_like(w)
        call("rope_backward", x, w, cos, sin, g.contiguous(), gx, gw, *x.shape)
        return gx, gw, None, None


class Conv(Function):
    """The gated short convolution of documents that lie one after the other."""

    @staticmethod
    def forward(ctx, z, taps, lengths):
        taps, d = taps[:, 0].t().contiguous(), z.shape[1] // 3
        ctx.save_for_backward(z, taps, lengths)
        y = z.new_empty(len(z), d)
        call("conv_forward", z, taps, y, lengths, len(lengths), d)
        return y

    @staticmethod
    def backward(ctx, g):
        z, taps, lengths = ctx.saved_tensors
        gz, gtaps = torch.empty_like(z), torch.zeros_like(taps)
        call("conv_backward", z, taps, g.contiguous(), gz, gtaps, lengths, len(lengths), z.shape[1] // 3)
        return gz, gtaps.t()[:, None], None


class Glu(Function):
    """SwiGLU of every expert, times its routing weight."""

    @staticmethod
    def forward(ctx, z, weights):
        ctx.save_for_backward(z, weights)
        n, e = weights.shape
        w = z.shape[1] // e // 2
        y = z.new_empty(n, e * w)
        call("glu_forward", z, weights, y, n, e, w)
        return y

    @staticmethod
    def backward(ctx, g):
        z, weights = ctx.saved_tensors
        gz, gweights = torch.empty_like(z), torch.empty_like(weights)
        n, e = weights.shape
        call("glu_backward", z, weights, g.contiguous(), gz, gweights, n, e, z.shape[1] // e // 2)
        return gz, gweights


class Entropy(Function):
    """Weighted sum of the losses, which backward has to start from, and the loss of every row, for the log.

    The logits are overwritten by their gradient."""

    @staticmethod
    def forward(ctx, logits, target, weight):
        loss = torch.empty_like(weight)
        call("entropy", logits, target, weight, loss, *logits.shape)
        ctx.save_for_backward(logits)
        ctx.mark_non_differentiable(loss)
        return (loss * weight).sum(), loss

    @staticmethod
    def backward(ctx, g, _):
        return ctx.saved_tensors[0], None, None
