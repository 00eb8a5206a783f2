import cython

from scopetrace.model.flow cimport Flow


@cython.locals(fields=dict)
cpdef dict flow_fields(Flow flow)
@cython.locals(fields=dict)
cpdef dict address_fields(str transport, local, peer, str peer_name=*)
cpdef with_zone(address)
