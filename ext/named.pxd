# What `build` and `values` are to modules that are compiled.

cdef extern from *:
    """
    /*
     * A tuple to which there is no other reference becomes the named tuple: the two are laid out the
     * same, as named tuples have no attributes of their own. Others are copied. Of a tuple of constants
     * alone Cython has the only reference, which does not show: it must not be passed.
     */
    static PyObject *new_named(PyTypeObject *named, PyObject *fields)
    {
        Py_ssize_t at, size = PyTuple_GET_SIZE(fields);
        PyObject *made;

        if (Py_REFCNT(fields) == 1 && PyTuple_CheckExact(fields)) {
            Py_SET_TYPE(fields, (PyTypeObject *)Py_NewRef(named));
            return Py_NewRef(fields);
        }
        made = named->tp_alloc(named, size);
        if (!made)
            return NULL;
        for (at = 0; at < size; at++)
            PyTuple_SET_ITEM(made, at, Py_NewRef(PyTuple_GET_ITEM(fields, at)));
        return made;
    }
    """
    object new_named(type named, tuple fields)
    bint PyTuple_Check(object)


cpdef inline build(type named, tuple fields):
    return new_named(named, fields)


cpdef inline tuple values(object named):
    if not PyTuple_Check(named):
        raise TypeError
    return <tuple>named
