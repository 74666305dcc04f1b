"""Pictures of figures, drawn with QPainter on raster widgets."""
