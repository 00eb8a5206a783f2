# What `build` is to modules that are compiled: tuple.__new__ without a tuple of its arguments.

cdef extern from *:
    """
    static PyObject *new_named(PyTypeObject *named, PyObject *fields)
    {
        Py_ssize_t at, size = PyTuple_GET_SIZE(fields);
        PyObject *made = named->tp_alloc(named, size);

        if (!made)
            return NULL;
        for (at = 0; at < size; at++)
            PyTuple_SET_ITEM(made, at, Py_NewRef(PyTuple_GET_ITEM(fields, at)));
        return made;
    }
    """
    object new_named(type named, tuple fields)


cpdef inline build(type named, tuple fields):
    return new_named(named, fields)
