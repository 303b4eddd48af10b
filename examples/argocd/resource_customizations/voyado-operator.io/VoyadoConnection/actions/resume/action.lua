-- false and not absent: it is in sync with a manifest that says false, and with one that says nothing.
obj.spec.suspend = false
return obj
