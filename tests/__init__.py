"""Tests compute by portable kernels, or by those that the environment holds them to."""

from convscope.base import kernels

# before torch is imported
kernels.hold(kernels.held() or kernels.PORTABLE)
