import cython

from scopetrace.decode.paths cimport text
from scopetrace.decode.fd_tables cimport FdTable
from scopetrace.decode.files cimport DecodedFile
from scopetrace.decode.tasks cimport Task
from scopetrace.model.call cimport Call
from named cimport build
from scopetrace.model.raw cimport RawRecord


cdef unsigned long long CREAT_FLAGS, INT


cpdef path_of(Task task, RawRecord record, dict parts, Call call)
cpdef second_path_of(Task task, RawRecord record, dict parts, Call call)
@cython.locals(file=DecodedFile, asked=str)
cdef _names(Task task, RawRecord record, bytes passed, bytes name, int dirfd)
cpdef unsigned long long open_flags(RawRecord record, dict parts, str op)
