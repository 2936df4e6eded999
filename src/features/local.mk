# src/features
noinst_LIBRARIES += src/features/libfeatures.a
src_features_libfeatures_a_SOURCES =
STINT_LIBS += src/features/libfeatures.a
