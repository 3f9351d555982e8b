"""Ratios of this project's speed to others'; by native kernels, or those of the environment."""

from convscope.base import kernels

# before torch is imported
kernels.hold(kernels.held() or kernels.NATIVE)
