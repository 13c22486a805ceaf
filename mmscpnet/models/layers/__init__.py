from .semantic_association import SemanticAssociation

__all__ = ['SemanticAssociation']
