"""Files and folders on disk: written whole, by one writer at a time, and read with suspicion.

``locks`` lets one writer at a folder, ``whole_files`` replaces a file in one step,
``temporary_folders`` sweeps what killed processes left behind, ``reading`` opens regular files of
bounded size and checks their digests.
"""
