// One import for a program that samples.
@_exported import Couplings
@_exported import Diffusion
@_exported import Imaging
@_exported import Models
