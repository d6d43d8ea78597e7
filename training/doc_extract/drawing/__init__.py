"""Draws documents, as files with a text layer and as scans of them, and says where what stands on their pages.

Places are boxes as the service answers them: on the page as it is read upright, in points from its upper left corner
(services/doc_extract/page.py).
"""
