import cython

from scopetrace.decode.addresses cimport as_known, named, parse_address
from scopetrace.decode.files cimport DecodedFile
from scopetrace.decode.socket cimport Socket
from scopetrace.decode.state cimport State
from scopetrace.decode.tasks cimport Task
from scopetrace.model.call cimport Call
from scopetrace.model.flow cimport Flow
from named cimport build
from scopetrace.model.raw cimport RawRecord


@cython.locals(sock=Socket)
cpdef Socket learn(DecodedFile file, dict parts)
cdef _passed_address(dict parts)
cpdef learn_final_state(State state, Task task, RawRecord record, fd)
@cython.locals(file=DecodedFile, parts=dict, sock=Socket, flow=Flow, data=bytes)
cpdef transferred(State state, Task task, RawRecord record, Call call, fd, bint outgoing)
cdef bint _opens_fast(RawRecord record, Call call, Socket sock) except -1
