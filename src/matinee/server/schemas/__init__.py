"""Request and response bodies as pydantic models, one file per subject.

They make up the OpenAPI document. Request bodies are validated on the way in; tests hold every
response to its model.
"""
