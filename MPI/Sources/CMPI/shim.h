#ifndef DIFFSPEC_CMPI_SHIM_H
#define DIFFSPEC_CMPI_SHIM_H

#include <mpi.h>

/* What MPI defines by macros that Swift does not see. */
static inline MPI_Comm ds_mpi_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Datatype ds_mpi_double(void) { return MPI_DOUBLE; }
static inline int ds_mpi_any_source(void) { return MPI_ANY_SOURCE; }
static inline int ds_mpi_test(MPI_Request *request, int *is_done) { return MPI_Test(request, is_done, MPI_STATUS_IGNORE); }
static inline int ds_mpi_wait(MPI_Request *request) { return MPI_Wait(request, MPI_STATUS_IGNORE); }
static inline int ds_mpi_receive(double *numbers, int count, int source, int tag) {
    return MPI_Recv(numbers, count, MPI_DOUBLE, source, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

#endif
