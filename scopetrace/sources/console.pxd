from scopetrace.model.image cimport Image
from scopetrace.model.open_file cimport OpenFile
from scopetrace.source cimport Source, TextTarget


cdef class ConsoleSource(Source):
    cpdef text_target(self, Image image, OpenFile file)
