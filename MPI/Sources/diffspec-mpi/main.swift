import Commands

// mpirun -n R diffspec-mpi sample …
DiffSpec.main(in: MPIProcesses())
